//! The loop that every queue function runs, on a queue of its own.

use std::time::Duration;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use cierre_platform::queue::{Delivery, Queue, Verdict, consume};
use cierre_tests::{Stack, eventually, sqs_event};

/// Longer than the test runs: what is not failed stays hidden.
const HIDDEN: Duration = Duration::from_secs(300);

/// Waits until so many messages came, and takes them.
async fn taken(stack: &Stack, url: &str, count: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    while messages.len() < count {
        let more = eventually("a message is there", || async {
            let receive = stack.sqs().receive_message().queue_url(url);
            let receive = receive.max_number_of_messages(10);
            let receive = receive.message_system_attribute_names(
                MessageSystemAttributeName::ApproximateReceiveCount,
            );
            receive.send().await.unwrap().messages
        });
        messages.extend(more.await);
    }
    messages
}

#[tokio::test]
async fn a_panic_fails_its_message_and_no_other() {
    let stack = Stack::connect().await;
    let url = stack.queue_apart(HIDDEN, None).await;
    let queue = Queue::new(stack.sqs(), url.clone());
    queue.send_all(&[1, 2, 3]).await.unwrap();
    let messages = taken(&stack, &url, 3).await;
    let panicking = messages.iter().find(|message| message.body() == Some("2"));
    let panicking = panicking.unwrap().message_id().unwrap();
    let handle = |delivery: Delivery<u32>| async move {
        assert_ne!(delivery.body, 2, "the defect of this test");
        Ok(Verdict::Done)
    };
    let response = consume(&queue, &queue, sqs_event(&messages), handle);
    let failures = response.await.unwrap().batch_item_failures;
    let failed: Vec<&str> = failures
        .iter()
        .map(|failure| failure.item_identifier.as_str())
        .collect();
    assert_eq!(failed, [panicking]);
    // It comes again within seconds, not when its queue would let it.
    let again = taken(&stack, &url, 1).await;
    assert_eq!(again[0].message_id(), Some(panicking));
    assert_eq!(
        sqs_event(&again).records[0].attributes["ApproximateReceiveCount"],
        "2"
    );
}
