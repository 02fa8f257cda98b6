//! What killed its workers three times ends in an error that says what to do: no object and no job stays in process for ever.

use cierre_platform::Failure;
use cierre_platform::queue::{Delivery, Verdict};

use super::Payables;
use super::message::LostMessage;
use super::receive::Trato;

impl Payables {
    /// Handles a message of the dead-letter queue. An object that had its outcome before keeps it.
    ///
    /// # Errors
    /// When DynamoDB does not answer; the message comes again, and is parked in the end.
    pub async fn settle(&self, lost: Delivery<LostMessage>) -> Result<Verdict, Failure> {
        match lost.body {
            LostMessage::Job(message) => self.lose(&message).await,
            LostMessage::Objects(event) => self.take_objects(&event, Trato::Desistir).await,
        }
    }
}
