use proptest::prelude::*;
use rstest::rstest;

use super::*;

const HERE: Guard = Guard::new(true);

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[rstest]
#[case::first("1.0.0.0")]
#[case::resolver("8.8.8.8")]
#[case::before_private("9.255.255.255")]
#[case::after_private("11.0.0.0")]
#[case::before_shared("100.63.255.255")]
#[case::after_shared("100.128.0.0")]
#[case::after_loopback("128.0.0.1")]
#[case::before_link("169.253.255.255")]
#[case::after_link("169.255.0.0")]
#[case::before_private_b("172.15.255.255")]
#[case::after_private_b("172.32.0.0")]
#[case::after_protocols("192.0.1.0")]
#[case::after_documentation("192.0.3.0")]
#[case::after_private_c("192.169.0.0")]
#[case::after_measurements("198.20.0.0")]
#[case::last("223.255.255.255")]
#[case::v6("2606:4700::1111")]
#[case::v6_first_of_registries("2001:200::1")]
#[case::v6_before_documentation("2001:db7:ffff::1")]
#[case::v6_after_documentation("2001:db9::1")]
#[case::v6_aws("2600:1f18::1")]
#[case::v6_last("3ffe:ffff::1")]
#[case::mapped("::ffff:8.8.8.8")]
#[case::nat64("64:ff9b::8.8.8.8")]
#[case::six_to_four("2002:808:808::1")]
fn is_on_the_public_network(#[case] address: &str) {
    assert!(is_public(ip(address)), "{address}");
}

#[rstest]
#[case::unspecified("0.0.0.0")]
#[case::this_network("0.1.2.3")]
#[case::private_a("10.0.0.1")]
#[case::private_a_last("10.255.255.255")]
#[case::shared("100.64.0.1")]
#[case::shared_last("100.127.255.255")]
#[case::loopback("127.0.0.1")]
#[case::loopback_last("127.255.255.255")]
#[case::link("169.254.0.1")]
#[case::metadata("169.254.169.254")]
#[case::credentials("169.254.170.2")]
#[case::private_b("172.16.0.1")]
#[case::private_b_last("172.31.255.255")]
#[case::protocols("192.0.0.1")]
#[case::nat64_discovery("192.0.0.170")]
#[case::documentation_1("192.0.2.1")]
#[case::documentation_2("198.51.100.1")]
#[case::documentation_3("203.0.113.1")]
#[case::relays("192.88.99.1")]
#[case::private_c("192.168.1.1")]
#[case::measurements("198.19.255.255")]
#[case::multicast("224.0.0.1")]
#[case::multicast_last("239.255.255.255")]
#[case::reserved("240.0.0.1")]
#[case::broadcast("255.255.255.255")]
#[case::v6_unspecified("::")]
#[case::v6_loopback("::1")]
#[case::v6_compatible("::8.8.8.8")]
#[case::v6_compatible_loopback("::127.0.0.1")]
#[case::v6_link("fe80::1")]
#[case::v6_site("fec0::1")]
#[case::v6_unique_local("fc00::1")]
#[case::v6_unique_local_random("fd12:3456:789a::1")]
#[case::v6_metadata("fd00:ec2::254")]
#[case::v6_multicast("ff02::1")]
#[case::v6_discard("100::1")]
#[case::v6_documentation("2001:db8::1")]
#[case::v6_documentation_new("3fff::1")]
#[case::v6_teredo("2001::1")]
#[case::v6_measurements("2001:2::1")]
#[case::v6_orchid("2001:20::1")]
#[case::v6_reserved("4000::1")]
#[case::v6_segments("5f00::1")]
#[case::mapped_loopback("::ffff:127.0.0.1")]
#[case::mapped_private("::ffff:10.0.0.1")]
#[case::mapped_metadata("::ffff:169.254.169.254")]
#[case::mapped_unspecified("::ffff:0.0.0.0")]
#[case::translated("::ffff:0:8.8.8.8")]
#[case::nat64_private("64:ff9b::10.0.0.1")]
#[case::nat64_loopback("64:ff9b::127.0.0.1")]
#[case::nat64_metadata("64:ff9b::169.254.169.254")]
#[case::nat64_local_use("64:ff9b:1::8.8.8.8")]
#[case::six_to_four_private("2002:a00:1::1")]
#[case::six_to_four_loopback("2002:7f00:1::1")]
#[case::six_to_four_metadata("2002:a9fe:a9fe::1")]
fn is_not_on_the_public_network(#[case] address: &str) {
    assert!(!is_public(ip(address)), "{address}");
    assert!(!Guard::PUBLIC.admits(ip(address)), "{address}");
}

#[rstest]
#[case("https://erp.example.com/hook?x=1")]
#[case("https://erp.example.com:8443")]
#[case("https://8.8.8.8/hook")]
#[case("https://[2606:4700::1111]/hook")]
#[case("https://134744072/hook")]
#[case("HTTPS://ERP.EXAMPLE.COM/hook")]
// What a name resolves to is looked at later.
#[case("https://localhost/hook")]
fn may_be_called(#[case] url: &str) {
    assert!(Guard::PUBLIC.read(url).is_ok(), "{url}");
}

#[rstest]
#[case::dotted("https://127.0.0.1/hook")]
#[case::port("https://127.0.0.1:9001/2018-06-01/runtime/invocation/next")]
#[case::two_parts("https://127.1")]
#[case::three_parts("https://127.0.1")]
#[case::one_number("https://2130706433")]
#[case::hexadecimal("https://0x7f000001")]
#[case::hexadecimal_parts("https://0x7f.0x0.0x0.0x1")]
#[case::octal("https://0177.0.0.1")]
#[case::octal_number("https://017700000001")]
#[case::trailing_dot("https://127.0.0.1./hook")]
#[case::percent("https://%31%32%37.0.0.1")]
#[case::full_width("https://\u{ff11}\u{ff12}\u{ff17}.0.0.1")]
#[case::circled("https://\u{2460}\u{2461}\u{2466}.0.0.1")]
#[case::ideographic_dots("https://127\u{3002}0\u{3002}0\u{3002}1")]
#[case::tab_inside("https://127.0.\t0.1")]
#[case::backslash("https:\\\\127.0.0.1\\hook")]
#[case::zero("https://0")]
#[case::unspecified("https://0.0.0.0")]
#[case::private("https://10.0.0.1")]
#[case::private_short("https://10.1")]
#[case::metadata("https://169.254.169.254/latest/meta-data")]
#[case::metadata_number("https://2852039166")]
#[case::metadata_octal("https://0251.0376.0251.0376")]
#[case::v6_loopback("https://[::1]")]
#[case::v6_loopback_long("https://[0:0:0:0:0:0:0:1]:443")]
#[case::v6_mapped("https://[::ffff:10.0.0.1]")]
#[case::v6_mapped_hexadecimal("https://[::ffff:a9fe:a9fe]")]
#[case::v6_link("https://[fe80::1]")]
#[case::v6_unique_local("https://[fd00:ec2::254]")]
#[case::v6_nat64("https://[64:ff9b::a9fe:a9fe]")]
#[case::v6_six_to_four("https://[2002:7f00:1::]")]
fn leads_into_a_private_network(#[case] url: &str) {
    assert_eq!(Guard::PUBLIC.read(url), Err(Forbidden::NotPublic), "{url}");
}

#[rstest]
#[case::plain("http://erp.example.com", Forbidden::NotHttps)]
#[case::plain_loopback("http://127.0.0.1", Forbidden::NotHttps)]
#[case::file("file:///etc/passwd", Forbidden::NotAnUrl)]
#[case::other("ftp://erp.example.com", Forbidden::NotHttps)]
#[case::gopher("gopher://erp.example.com", Forbidden::NotHttps)]
#[case::data("data:text/plain,hello", Forbidden::NotAnUrl)]
#[case::user("https://user@erp.example.com", Forbidden::Credentials)]
#[case::password("https://user:pass@erp.example.com", Forbidden::Credentials)]
#[case::password_alone("https://:pass@erp.example.com", Forbidden::Credentials)]
#[case::no_scheme("erp.example.com", Forbidden::NotAnUrl)]
#[case::no_host("https://", Forbidden::NotAnUrl)]
#[case::open_bracket("https://[::1", Forbidden::NotAnUrl)]
#[case::zone("https://[fe80::1%25eth0]", Forbidden::NotAnUrl)]
#[case::bad_number("https://127.0.0.256", Forbidden::NotAnUrl)]
#[case::too_many_parts("https://127.0.0.0.1", Forbidden::NotAnUrl)]
#[case::port_too_large("https://erp.example.com:99999", Forbidden::NotAnUrl)]
#[case::blank("https://erp example.com", Forbidden::NotAnUrl)]
#[case::empty("", Forbidden::NotAnUrl)]
fn is_no_address_to_be_called(#[case] url: &str, #[case] expected: Forbidden) {
    assert_eq!(Guard::PUBLIC.read(url), Err(expected), "{url}");
}

#[test]
fn an_address_without_end_is_not_read() {
    let url = format!("https://erp.example.com/{}", "a".repeat(MAX_URL));
    assert_eq!(Guard::PUBLIC.read(&url), Err(Forbidden::NotAnUrl));
}

#[rstest]
#[case("http://127.0.0.1:8080/hook", true)]
#[case("http://[::1]:8080/hook", true)]
#[case("https://127.0.0.1:8080/hook", true)]
#[case("https://erp.example.com", true)]
#[case("http://localhost:8080", false)]
#[case("http://erp.example.com", false)]
#[case("http://8.8.8.8", false)]
#[case("http://10.0.0.1", false)]
#[case("https://10.0.0.1", false)]
#[case("https://169.254.169.254", false)]
fn a_test_stack_may_call_its_own_machine_and_no_other(#[case] url: &str, #[case] allowed: bool) {
    assert_eq!(HERE.read(url).is_ok(), allowed, "{url}");
}

fn at(address: &str) -> SocketAddr {
    SocketAddr::new(ip(address), 0)
}

#[test]
fn only_admitted_addresses_of_a_name_are_given_out() {
    let resolver = GuardedResolver::new(Guard::PUBLIC);
    let both = [at("10.0.0.1"), at("8.8.8.8"), at("::1")];
    assert_eq!(resolver.admitted(both.into_iter()), Ok(vec![at("8.8.8.8")]));
    let private = [at("10.0.0.1"), at("::ffff:127.0.0.1")];
    assert_eq!(
        resolver.admitted(private.into_iter()),
        Err(Forbidden::NotPublic)
    );
    assert_eq!(
        resolver.admitted(std::iter::empty()),
        Err(Forbidden::NotPublic)
    );
}

/// `localhost` is in every machine's hosts file, so this needs no network.
#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_resolved() {
    let resolve = |guard| GuardedResolver::new(guard).resolve("localhost".parse().unwrap());
    let Err(error) = resolve(Guard::PUBLIC).await else {
        panic!("resolved")
    };
    assert_eq!(error.downcast_ref(), Some(&Forbidden::NotPublic));
    let mut found = resolve(HERE).await.unwrap();
    assert!(found.all(|address| address.ip().is_loopback()));
}

proptest! {
    #[test]
    fn an_address_that_stands_for_another_is_judged_by_it(bits: u32) {
        let v4 = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (left, right) = (a << 8 | b, c << 8 | d);
        for v6 in [
            v4.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, left, right),
            Ipv6Addr::new(0x2002, left, right, 0, 0, 0, 0, 1),
        ] {
            prop_assert_eq!(is_public(v6.into()), is_public(v4.into()), "{}", v6);
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_judged_alike(bits: u32) {
        let v4 = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = v4.octets();
        let spellings = [
            format!("https://{v4}"),
            format!("https://{bits}/"),
            format!("https://0x{bits:x}/"),
            format!("https://0{bits:o}/"),
            format!("https://{a}.{}/", bits & 0xff_ffff),
            format!("https://0{a:o}.0x{b:x}.{c}.{d}."),
            format!("https://[::ffff:{v4}]"),
        ];
        for url in spellings {
            prop_assert_eq!(Guard::PUBLIC.read(&url).is_ok(), is_public(v4.into()), "{}", url);
        }
    }

    #[test]
    fn no_text_makes_the_reader_fall_over(text in "\\PC{0,40}") {
        let _ = Guard::PUBLIC.read(&text);
        let _ = Guard::PUBLIC.read(&format!("https://{text}"));
    }
}
