//! How full a queue is.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;

use crate::Outcome;

/// Prints how many messages wait, are in work, are delayed.
pub(crate) async fn print_counts(client: &Client, url: &str) -> Outcome {
    let answer = client
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await?;
    let counts = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ]
    .map(|name| {
        let all = answer.attributes();
        all.and_then(|all| all.get(&name))
            .map_or("?", String::as_str)
    });
    println!("{}", counts.join(" "));
    Ok(())
}
