//! Who writes a recording.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::format::{Header, Line, VERSION};

/// How much may wait to be written, in bytes of requests and responses. What comes when the disk is that far
/// behind is left out, and counted.
const MAX_WAITING: usize = 64 * 1024 * 1024;

/// How long [`Recorder::finish`] waits for the disk.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the line when there is time for it: away from the solve.
type MakeLine = Box<dyn FnOnce(bool) -> Line + Send>;

/// Writes what goes over the wire into a file that can be attached to a bug report, and played back in tests:
/// a line of JSON for each request with its response, and one for each call of a solver.
///
/// Secrets of the account (its token, and what else [its protocol](crate::JobApi::secrets) was made of) are masked in
/// every usual spelling, and a picture is a digest with its size unless it is [kept](Self::keeping_pictures). Solvers
/// that are made with it ([`HttpOptions::recorder`](crate::HttpOptions::recorder),
/// [`Context::with_recorder`](crate::Context::with_recorder)) record; a
/// [`RecordingTransport`](crate::RecordingTransport) does without a solver.
///
/// Lines are made and written on a thread of its own. A write that fails neither fails nor delays a solve: it is
/// logged once, and [`finish`](Self::finish) tells. Cloning is cheap, and clones write the same recording; when the
/// last is dropped, what is waiting is still written, unless the program ends.
///
/// ```
/// use drag_solver_http::testing::{Reply, ScriptedTransport};
/// use drag_solver_http::{ApiRequest, Recorder, Recording, RecordingTransport, ReplayTransport, Transport};
/// use drag_solver_http::secrecy::SecretString;
/// use drag_solver_http::serde_json::json;
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("wire.jsonl");
/// let recorder = Recorder::create(&path)?;
/// let service = ScriptedTransport::new([Reply::json(r#"{"job": 7, "was": "hunter2-hunter2"}"#)]);
/// let key = SecretString::from("hunter2-hunter2");
/// let transport = RecordingTransport::new(service, &recorder, "example", [&key]);
/// let order = ApiRequest::json("jobs", &json!({"key": "hunter2-hunter2"}));
/// transport.send(order, Duration::from_secs(9)).await?;
/// assert_eq!(recorder.finish().lines, 1);
///
/// let recording = Recording::read(&path)?;
/// let replay = ReplayTransport::new(&recording);
/// let again = ApiRequest::json("jobs", &json!({"key": "another"}));
/// let response = replay.send(again, Duration::from_secs(9)).await?;
/// assert_eq!(response.body(), r#"{"job": 7, "was": "[masked]"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    started: Instant,
    pictures: bool,
    lines: Mutex<Option<Sender<(MakeLine, usize)>>>,
    ended: Mutex<Receiver<RecordingSummary>>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Bytes that wait to be written.
    waiting: AtomicUsize,
    left_out: AtomicU64,
}

/// What became of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordingSummary {
    /// Lines that were written, beside the first: exchanges and calls.
    pub lines: u64,
    /// Why the recording is not complete.
    pub problem: Option<String>,
}

impl Recorder {
    /// Records into a new file, which only its owner can read. One that exists is not touched.
    ///
    /// # Errors
    ///
    /// Why the file cannot be made: [`AlreadyExists`](io::ErrorKind::AlreadyExists), say.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::create_with(path.as_ref(), false)
    }

    /// The same, and pictures are in the recording: it can be played back to what looks at them, and is as large
    /// as they are. A screenshot may show what is private.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create).
    pub fn keeping_pictures(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::create_with(path.as_ref(), true)
    }

    fn create_with(path: &Path, pictures: bool) -> io::Result<Self> {
        Self::start(new_file(path)?, pictures)
    }

    pub(super) fn start(mut file: impl Write + Send + 'static, pictures: bool) -> io::Result<Self> {
        let header = Header {
            drag_solver_recording: VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        write_line(&mut file, &header)?;
        let (lines, received) = mpsc::channel();
        let (tell, ended) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        thread::Builder::new()
            .name("drag-solver-recorder".to_owned())
            .spawn(move || {
                let _ = tell.send(write_all(file, &received, pictures, &counted));
            })?;
        Ok(Self(Arc::new(Shared {
            started: Instant::now(),
            pictures,
            lines: Mutex::new(Some(lines)),
            ended: Mutex::new(ended),
            counts,
        })))
    }

    /// Ends the recording, and waits until it is on the disk (10 s at most, blocking the thread). What is sent
    /// after that is not recorded. A second call says that it was ended before.
    #[must_use]
    pub fn finish(&self) -> RecordingSummary {
        self.lines().take();
        let ended = self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let summary = ended.recv_timeout(FINISH_TIMEOUT);
        summary.unwrap_or_else(|error| {
            let problem = match error {
                mpsc::RecvTimeoutError::Timeout => "the disk takes too long",
                mpsc::RecvTimeoutError::Disconnected => "the recording was ended before",
            };
            RecordingSummary {
                lines: 0,
                problem: Some(problem.to_owned()),
            }
        })
    }

    /// In milliseconds since the recording began.
    pub(super) fn since_start(&self, at: Instant) -> u64 {
        millis(at.saturating_duration_since(self.0.started))
    }

    /// Takes a line that is made of so many bytes. `make` is told whether pictures are kept.
    pub(super) fn push(&self, bytes: usize, make: impl FnOnce(bool) -> Line + Send + 'static) {
        let lines = self.lines();
        let Some(lines) = &*lines else { return };
        let waiting = &self.0.counts.waiting;
        let before = waiting.fetch_add(bytes, Ordering::AcqRel);
        // A single one is taken, however large.
        let is_fit = before == 0 || before.saturating_add(bytes) <= MAX_WAITING;
        if !is_fit || lines.send((Box::new(make), bytes)).is_err() {
            waiting.fetch_sub(bytes, Ordering::AcqRel);
            self.0.counts.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Option<Sender<(MakeLine, usize)>>> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("pictures", &self.0.pictures)
            .finish_non_exhaustive()
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

fn write_line(file: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)?;
    file.flush()
}

/// Writes lines until there are no more. After one that cannot be written, none is: half a line may be there.
fn write_all(
    mut file: impl Write,
    lines: &Receiver<(MakeLine, usize)>,
    pictures: bool,
    counts: &Counts,
) -> RecordingSummary {
    let mut summary = RecordingSummary::default();
    for (make, bytes) in lines {
        if summary.problem.is_none() {
            match write_line(&mut file, &make(pictures)) {
                Ok(()) => summary.lines += 1,
                Err(error) => {
                    tracing::warn!(%error, "the recording cannot be written, and ends here");
                    summary.problem = Some(format!("it cannot be written: {error}"));
                }
            }
        }
        counts.waiting.fetch_sub(bytes, Ordering::AcqRel);
    }
    let left_out = counts.left_out.load(Ordering::Relaxed);
    if summary.problem.is_none() && left_out > 0 {
        summary.problem = Some(format!(
            "{left_out} lines were left out, because the disk was too slow"
        ));
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Full(usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if bytes.len() > self.0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line() -> Line {
        serde_json::from_str(
            r#"{"exchange": {"solver": "a", "began_ms": 0, "ended_ms": 1, "request": {"method": "GET", "path": "a"},
                "outcome": "abandoned"}}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_is_told_at_the_end() {
        let recorder = Recorder::start(Full(300), false).unwrap();
        for _ in 0..9 {
            recorder.push(1, |_| line());
        }
        let summary = recorder.finish();
        assert!((1..9).contains(&summary.lines), "{summary:?}");
        let problem = summary.problem.unwrap();
        assert!(problem.starts_with("it cannot be written: "), "{problem}");
        recorder.push(1, |_| line());
        assert!(recorder.finish().problem.unwrap().contains("ended before"));
        assert!(Recorder::start(Full(3), false).is_err());
    }

    /// A disk that writes nothing until the other end is dropped.
    struct Stuck(Receiver<()>, bool);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.1 {
                let _ = self.0.recv();
            }
            self.1 = true;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_disk_holds_back_no_solve_and_no_memory() {
        let (release, stuck) = mpsc::channel();
        let recorder = Recorder::start(Stuck(stuck, false), false).unwrap();
        for _ in 0..4 {
            recorder.push(MAX_WAITING / 2, |_| line());
        }
        drop(release);
        let summary = recorder.finish();
        assert_eq!(summary.lines, 2);
        assert!(summary.problem.unwrap().starts_with("2 lines were left"));
    }

    #[test]
    fn a_file_that_exists_is_not_touched_and_a_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wire.jsonl");
        std::fs::write(&path, "mine").unwrap();
        let error = Recorder::create(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let new = folder.path().join("new.jsonl");
            let recorder = Recorder::create(&new).unwrap();
            assert_eq!(recorder.finish().problem, None);
            let mode = std::fs::metadata(&new).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
