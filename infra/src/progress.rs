//! Progress of a long step: a spinner with the time on a terminal, plain lines everywhere else.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Where nobody sees a spinner, silence longer than this is broken by a line.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// One step under way.
#[derive(Debug)]
pub(crate) struct Step {
    label: String,
    started: Instant,
    last_line: Instant,
    spinner: Option<ProgressBar>,
}

impl Step {
    /// Starts the step and shows its label.
    pub(crate) fn begin(label: impl Into<String>) -> Self {
        let label = label.into();
        let now = Instant::now();
        let spinner = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {wide_msg}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(label.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if spinner.is_none() {
            eprintln!("· {label}");
        }
        Self {
            label,
            started: now,
            last_line: now,
            spinner,
        }
    }

    /// What the step is doing at the moment.
    pub(crate) fn say(&mut self, detail: &str) {
        match &self.spinner {
            Some(bar) => bar.set_message(detail.to_owned()),
            None if self.last_line.elapsed() >= SIGN_OF_LIFE => {
                self.last_line = Instant::now();
                eprintln!("  {} s  {detail}", self.started.elapsed().as_secs());
            }
            None => {}
        }
    }

    /// Ends the step well.
    pub(crate) fn done(self) {
        self.end("✓");
    }

    /// Ends the step badly; the failure itself is told by who called.
    pub(crate) fn failed(self) {
        self.end("✗");
    }

    fn end(self, sign: &str) {
        if let Some(bar) = &self.spinner {
            bar.finish_and_clear();
        }
        eprintln!(
            "{sign} {} ({} s)",
            self.label,
            self.started.elapsed().as_secs()
        );
    }
}

/// A heading between the parts of a longer run.
pub(crate) fn heading(text: &str) {
    eprintln!("\n── {text}");
}
