//! The QR code as an SVG path.

use cierre_platform::Failure;
use cierre_platform::error::Doing;
use qrcode::{Color, EcLevel, QrCode};

/// Modules of white that the standard asks for on every side.
const QUIET_ZONE: usize = 4;

/// A QR code that survives the loss of 15 % of its area: an invoice is folded, stamped and copied.
pub(super) struct Code(QrCode);

impl Code {
    /// The code that leads to an address.
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        QrCode::with_error_correction_level(url, EcLevel::M)
            .map(Self)
            .doing("encoding the QR code")
    }

    /// Modules per side.
    pub(super) fn width(&self) -> usize {
        self.0.width()
    }

    /// The drawing's box: a module is one unit, and the quiet zone lies around the code.
    pub(super) fn view_box(&self) -> String {
        let side = self.width() + 2 * QUIET_ZONE;
        format!("-{QUIET_ZONE} -{QUIET_ZONE} {side} {side}")
    }

    /// The dark modules, each row's neighbours drawn as one rectangle. Seams between single squares would show on paper.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        let colours = self.0.to_colors();
        for (y, row) in colours.chunks(self.width()).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(PartialEq::eq) {
                let length = run.len();
                if run.first() == Some(&Color::Dark) {
                    path.push_str(&format!("M{x} {y}h{length}v1h-{length}z"));
                }
                x += length;
            }
        }
        path
    }
}
