//! Cursors that were altered, or made for something else.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use cierre_tests::{Client, Company, service};
use futures::{StreamExt, stream};

const PARALLEL: usize = 8;

/// A company with two of everything that a list here shows.
async fn with_lists() -> Company {
    let company = Company::new().await;
    company.customers(2).await;
    company
        .pendings(&[
            service(5, 1, 150_000),
            service(6, 1, 100),
            service(7, 2, 200),
        ])
        .await;
    company
}

async fn cursor(client: &Client, path: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    let page = client.get(&format!("{path}{mark}limit=1")).await.ok();
    page["next"]
        .as_str()
        .unwrap_or_else(|| panic!("{path} has one page: {page}"))
        .to_owned()
}

/// The cursor opens no page of this list.
async fn is_bad(client: &Client, path: &str, cursor: &str) {
    let mark = if path.contains('?') { '&' } else { '?' };
    let address = format!("{path}{mark}cursor={cursor}");
    let reply = client.get(&address).await;
    assert_eq!(
        (reply.status, reply.body["code"].as_str()),
        (400, Some("bad_cursor")),
        "{address}: {}",
        reply.text
    );
    reply.refused(400, "bad_cursor");
}

async fn all_are_bad(client: &Client, path: &str, cursors: Vec<String>) {
    stream::iter(&cursors)
        .for_each_concurrent(PARALLEL, async |cursor| is_bad(client, path, cursor).await)
        .await;
}

/// Which bit is enough: the unit tests of the cursor turn every one.
#[tokio::test]
async fn a_bit_turned_in_any_byte_makes_it_bad() {
    let company = with_lists().await;
    let admin = company.admin().await;
    for path in ["/services", "/activity"] {
        let genuine = cursor(&admin, path).await;
        let bytes = URL_SAFE_NO_PAD.decode(&genuine).unwrap();
        let turned = (0..bytes.len()).map(|at| {
            let mut turned = bytes.clone();
            turned[at] ^= 1 << (at % 8);
            URL_SAFE_NO_PAD.encode(turned)
        });
        all_are_bad(&admin, path, turned.collect()).await;
        admin
            .get(&format!("{path}?cursor={genuine}"))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn a_cursor_of_another_length_or_spelling_is_bad() {
    let company = with_lists().await;
    let admin = company.admin().await;
    let genuine = cursor(&admin, "/services").await;
    let bytes = URL_SAFE_NO_PAD.decode(&genuine).unwrap();
    let (tag, position) = bytes.split_at(16);
    let joined = |tag: &[u8], position: &[u8]| URL_SAFE_NO_PAD.encode([tag, position].concat());
    let mut cursors: Vec<String> = (0..genuine.len())
        .map(|length| genuine[..length].to_owned())
        .collect();
    cursors.extend([
        format!("{genuine}A"),
        format!("{genuine}{genuine}"),
        format!("A{genuine}"),
        format!("%20{genuine}"),
        format!("{genuine}%00"),
        format!("{genuine}%0a"),
        format!("{genuine}%ef%bf%bd"),
        // The same bytes, spelled as nobody here spells them.
        URL_SAFE.encode(&bytes).replace('=', "%3D") + "%3D",
        STANDARD
            .encode(&bytes)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
            + "%3D",
        genuine.to_uppercase(),
        // Parts of it.
        URL_SAFE_NO_PAD.encode(position),
        URL_SAFE_NO_PAD.encode(tag),
        joined(&tag[..15], position),
        joined(&[tag, &[0]].concat(), position),
        joined(&[0; 16], position),
        joined(&[0; 16], b""),
        joined(tag, b"{}"),
        joined(tag, b"null"),
        joined(tag, &[position, b" "].concat()),
        // Anything else.
        "null".to_owned(),
        "0".to_owned(),
        "%7B%22pk%22%3A%22demo%22%7D".to_owned(),
        "-".repeat(5_000),
    ]);
    all_are_bad(&admin, "/services", cursors).await;
    admin
        .get(&format!("/services?cursor={genuine}"))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let company = with_lists().await;
    let neighbour = Company::on(company.stack.clone());
    let (admin, stranger) = (company.admin().await, neighbour.admin().await);
    let lists = [
        "/customers",
        "/services",
        "/services?customerId=1",
        "/billing-pendings",
        "/billing-pendings/available",
        "/activity",
        "/activity?event_type=create",
    ];
    let others = [
        "/invoices",
        "/billing-batches",
        "/erp-sync/history",
        "/company/users",
        "/services?status=CREATED",
    ];
    for list in lists {
        let genuine = cursor(&admin, list).await;
        for other in lists.iter().chain(&others).filter(|other| **other != list) {
            is_bad(&admin, other, &genuine).await;
        }
        // Another company's cursor on the same list.
        is_bad(&stranger, list, &genuine).await;
        let mark = if list.contains('?') { '&' } else { '?' };
        admin
            .get(&format!("{list}{mark}cursor={genuine}"))
            .await
            .expect(200);
        // A colleague who may read the list may go on with it: it is the company's, not the user's.
        company
            .user("auditor")
            .await
            .get(&format!("{list}{mark}cursor={genuine}"))
            .await
            .expect(200);
    }
}
