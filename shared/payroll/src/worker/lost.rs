//! What killed its workers three times ends in an error that says what to do: no file and no job stays in process for ever.

use cierre_kernel::codes;
use cierre_platform::queue::{Delivery, Verdict};
use cierre_platform::s3_events::Notice;
use cierre_platform::{Context, Failure, clock};

use super::message::{FileMessage, JobMessage, LostMessage};
use super::receive::Work;
use super::{MAX_ATTEMPTS, Payroll};
use crate::entity::trabajo::Trabajo;
use crate::repo::read_doc;
use crate::table;

impl Payroll {
    /// Handles a message of the dead-letter queue.
    ///
    /// # Errors
    /// When DynamoDB or S3 does not answer; the message comes again, and is parked in the end.
    pub async fn settle(&self, lost: Delivery<LostMessage>) -> Result<Verdict, Failure> {
        match lost.body {
            LostMessage::File(message) => self.fail_file(message).await,
            LostMessage::Job(message) => self.fail_lost_job(&message).await,
            LostMessage::Objects(event) => {
                for record in &event.records {
                    let Some(notice) = Notice::of(record) else {
                        return Ok(Verdict::Senseless);
                    };
                    // It may not even have been received: nothing that was put there is lost.
                    if let Some(work) = self.receive(notice).await? {
                        self.exhausted(&work, MAX_ATTEMPTS).await?;
                    }
                }
                Ok(Verdict::Done)
            }
        }
    }

    async fn fail_file(&self, message: FileMessage) -> Result<Verdict, Failure> {
        let work = Work {
            context: Context::system(message.company_id, message.correlation_id, clock::now()),
            cierre: message.cierre_id,
            archivo: message.archivo_id,
        };
        self.exhausted(&work, MAX_ATTEMPTS).await?;
        Ok(Verdict::Done)
    }

    async fn fail_lost_job(&self, message: &JobMessage) -> Result<Verdict, Failure> {
        let context = Context::system(
            message.company_id.clone(),
            message.correlation_id.clone(),
            clock::now(),
        );
        let key = table::trabajo(&context.company, message.trabajo_id);
        let Some(item) = self.db.get_item(&key).await? else {
            return Ok(Verdict::Senseless);
        };
        let job: Trabajo = read_doc(&item)?;
        let failure = (codes::WORKER_LOST, super::jobs::LOST);
        self.fail_job(&context, job, failure).await?;
        Ok(Verdict::Done)
    }
}
