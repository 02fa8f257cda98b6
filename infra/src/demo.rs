//! The month-end demonstration, through the HTTP API as any client would use it.

use crate::deploy::Outputs;
use crate::failure::Result;
use crate::stack::Stack;

/// Shows the product at work.
pub(crate) async fn run(_stack: &Stack, _outputs: &Outputs) -> Result<()> {
    Ok(())
}
