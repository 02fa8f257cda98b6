//! The drawn QR code is read back from the page.

use super::*;
use crate::rules::{QrContent, cae_text, simulated_cae};

/// The modules that the page's drawing makes dark, read from the drawing.
struct Drawing {
    width: usize,
    dark: Vec<bool>,
}

impl Drawing {
    fn read(page: &str) -> Self {
        let between = |from: &str, to: &str| {
            let (_, rest) = page.split_once(from).unwrap();
            rest.split_once(to).unwrap().0
        };
        let view: Vec<i32> = between("viewBox=\"", "\"")
            .split(' ')
            .map(|n| n.parse().unwrap())
            .collect();
        let [-4, -4, side, height] = view[..] else {
            panic!("no quiet zone of four modules: {view:?}");
        };
        assert_eq!(side, height);
        let width = usize::try_from(side).unwrap() - 8;
        let mut dark = vec![false; width * width];
        for run in between(" d=\"", "\"").split_terminator('z') {
            let (x, run) = run.strip_prefix('M').unwrap().split_once(' ').unwrap();
            let (y, run) = run.split_once('h').unwrap();
            let (length, back) = run.split_once("v1h-").unwrap();
            assert_eq!(length, back);
            let [x, y, length]: [usize; 3] = [x, y, length].map(|n| n.parse().unwrap());
            assert!(x + length <= width);
            for module in &mut dark[y * width + x..][..length] {
                assert!(!*module, "drawn twice");
                *module = true;
            }
        }
        Self { width, dark }
    }

    /// What a camera reads, from a picture with a few points per module.
    fn decode(&self) -> String {
        const SCALE: usize = 4;
        let side = (self.width + 8) * SCALE;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            let inside = |at: usize| (at / SCALE).checked_sub(4).filter(|at| *at < self.width);
            match (inside(x), inside(y)) {
                (Some(x), Some(y)) if self.dark[y * self.width + x] => 0,
                (Some(_), Some(_)) | (None, _) | (Some(_), None) => 255,
            }
        });
        let grids = image.detect_grids();
        let [grid] = &grids[..] else {
            panic!("{} codes in the picture", grids.len());
        };
        let (found, content) = grid.decode().unwrap();
        // The standard's number for level M.
        assert_eq!(found.ecc_level, 0);
        content
    }
}

#[rstest]
#[case("A-0001-00000002", 230_050, Some("30-00000001-5"))]
#[case("B-0001-NC-00000001", 1, None)]
#[case("C-99999-99999999", 9_999_999_999, Some("33-69345023-9"))]
fn the_drawn_code_leads_to_the_address(
    #[case] text: &str,
    #[case] minor: i64,
    #[case] receiver: Option<&str>,
) {
    let number = number(text);
    let cae = simulated_cae(&number);
    let url = QrContent {
        issue_date: date("2024-01-31"),
        issuer: cuit("30-00000000-7"),
        number,
        amount: pesos(minor),
        receiver: receiver.map(cuit),
        cae,
    }
    .url();
    let page = render(&Printed {
        cae: &cae_text(cae),
        qr_url: &url,
        ..document(text)
    })
    .unwrap();
    let drawing = Drawing::read(&page);
    assert_eq!(drawing.decode(), url);

    let code = qrcode::QrCode::with_error_correction_level(&url, qrcode::EcLevel::M).unwrap();
    assert_eq!(drawing.width, code.width());
    let dark: Vec<bool> = code
        .to_colors()
        .into_iter()
        .map(|colour| colour == qrcode::Color::Dark)
        .collect();
    assert_eq!(drawing.dark, dark);
}

#[test]
fn an_address_beyond_any_code_is_an_error() {
    let long = "a".repeat(3000);
    let printed = Printed {
        qr_url: &long,
        ..document("A-0001-00000002")
    };
    assert!(render(&printed).is_err());
}
