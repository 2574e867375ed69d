//! A PostgreSQL server of one's own, for tests and measurements: in a temporary folder, on this machine alone, stopped and
//! gone with the process that started it, however that ends.

#![allow(clippy::expect_used)] // a test without its server fails
#![allow(clippy::print_stderr)] // a test that is skipped says so
#![allow(clippy::missing_panics_doc)] // as all of it panics where a server cannot be run

use std::fmt::Write as _;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Says that tests without a server fail instead of being skipped: for the gate, which installs one.
const NEEDED: &str = "DRAG_SOLVER_NEEDS_POSTGRES";

/// A user that may do nothing, as the server refuses to run as root.
const NOBODY: u32 = 65534;

/// A running server.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
    /// Ends the server and removes the folder when its input ends.
    keeper: Child,
}

impl Server {
    /// Starts one that keeps what it is told as long as the machine does not crash; `None`, and a line that says so, where
    /// none is installed.
    ///
    /// # Panics
    ///
    /// It does not start; or none is installed, and the environment says that one has to be.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&["fsync=off"])
    }

    /// The same with other settings of the server.
    #[must_use]
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            let needed = std::env::var_os(NEEDED).is_some();
            assert!(
                !needed,
                "{NEEDED} is set, and no PostgreSQL server is installed"
            );
            eprintln!("SKIPPED: no PostgreSQL server is installed (Debian has it as `postgresql`)");
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        let folder = std::env::temp_dir().join(format!(
            "drag-solver-postgres-{}-{port}",
            std::process::id()
        ));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&folder, mode).expect("a folder of our own");
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("a folder of nobody's");
        }
        let data = folder.join("data");
        let ended = as_nobody(&programs.join("initdb"))
            .args([
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        // What is left over when its input ends: the process that started it is gone.
        let keeper = Command::new("sh")
            .arg("-c")
            .arg(
                "read -r _; pid=$(head -n 1 \"$0/data/postmaster.pid\" 2>/dev/null) && kill -QUIT \"$pid\" \
                 && while kill -0 \"$pid\" 2>/dev/null; do sleep 0.05; done; rm -rf \"$0\"",
            )
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("sh runs");
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let server = Self {
            programs,
            folder,
            port,
            settings,
            keeper,
        };
        server.run();
        Some(server)
    }

    /// Where it is, as its administrator.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// One of the programs that come with it.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.programs.join(name))
    }

    /// Puts a file beside its data that is its own to read, as it asks of the key of its certificate.
    pub fn keep(&self, name: &str, contents: &[u8]) {
        let file = self.folder.join("data").join(name);
        std::fs::write(&file, contents).expect("a file");
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, mode).expect("a file of our own");
        if is_root() {
            chown(&file, Some(NOBODY), Some(NOBODY)).expect("a file of nobody's");
        }
    }

    /// Ends it, as if it had crashed.
    pub fn kill(&self) {
        self.control(&["stop", "-m", "immediate"]);
    }

    /// Starts it, and waits until it can be reached.
    pub fn run(&self) {
        let log = self.folder.join("log");
        let mut settings = format!("-c listen_addresses=127.0.0.1 -c port={}", self.port);
        let _ = write!(
            settings,
            " -c unix_socket_directories={}",
            self.folder.display()
        );
        for setting in &self.settings {
            let _ = write!(settings, " -c {setting}");
        }
        self.control(&[
            "start",
            "-w",
            "-t",
            "60",
            "-l",
            &log.to_string_lossy(),
            "-o",
            &settings,
        ]);
        let begun = Instant::now();
        let ready = || self.psql("SELECT 1").is_ok();
        while !ready() {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it does not start: {log}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn control(&self, arguments: &[&str]) {
        let ended = as_nobody(&self.programs.join("pg_ctl"))
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let ended = ended.expect("pg_ctl runs");
        assert!(ended.success(), "pg_ctl {arguments:?}: {ended}");
    }

    /// What these statements answer.
    ///
    /// # Errors
    ///
    /// What the server says instead.
    pub fn psql(&self, sql: &str) -> Result<String, String> {
        let said = self
            .program("psql")
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                &self.url(),
                "-c",
                sql,
            ])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        if said.status.success() {
            Ok(text(&said.stdout))
        } else {
            Err(text(&said.stderr))
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C");
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Where the programs of the newest server are.
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").into_iter();
    let in_path = in_path.flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut debian: Vec<PathBuf> = folders("/usr/lib/postgresql").unwrap_or_default();
    debian.sort_by_key(|folder| {
        let name = folder.file_name().and_then(|name| name.to_str());
        name.and_then(|name| name.parse::<u32>().ok())
    });
    let debian = debian.into_iter().rev().map(|folder| folder.join("bin"));
    // All of them: a link in the path to one of the programs is not enough.
    let all = ["initdb", "pg_ctl", "postgres", "psql", "pgbench"];
    debian
        .chain(in_path)
        .find(|folder| all.iter().all(|name| folder.join(name).is_file()))
}

fn folders(path: &str) -> io::Result<Vec<PathBuf>> {
    std::fs::read_dir(path)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}
