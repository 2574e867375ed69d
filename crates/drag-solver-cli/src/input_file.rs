//! Files that are read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Refuses what could be waited for without end, as a named pipe that no program writes to. What a shell hands over, as
/// with `<(...)`, is written to already.
///
/// # Errors
///
/// What it is, and what to do.
pub(crate) fn check(path: &Path) -> Result<(), &'static str> {
    if is_special(path) && !is_from_shell(path) {
        return Err(
            "it is no regular file, but a pipe, a socket or a device: save it as a file first",
        );
    }
    Ok(()) // what else is wrong is told when it is read
}

/// Whether a pipe, a socket or a device is there.
pub(crate) fn is_special(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|there| !there.is_file() && !there.is_dir())
}

fn is_from_shell(path: &Path) -> bool {
    let parts: Vec<_> = path.iter().filter_map(OsStr::to_str).collect();
    matches!(
        parts[..],
        ["/", "dev", "stdin"] | ["/", "dev", "fd", _] | ["/", "proc", _, "fd", _]
    )
}

/// Reads all of a file of at most so many bytes.
///
/// # Errors
///
/// It cannot be read, is longer, or is refused by [`check`].
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    check(path).map_err(io::Error::other)?;
    read_all(File::open(path)?, most)
}

/// Reads all there is, of at most so many bytes.
///
/// # Errors
///
/// It cannot be read, or is longer.
pub(crate) fn read_all(reader: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let problem = format!("it is longer than {most} bytes: is it the right file?");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_waited_for_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        std::fs::write(path("file"), "").unwrap();
        std::os::unix::fs::symlink(path("pipe"), path("link")).unwrap();
        let device = "/dev/null".into();
        for refused in [path("pipe"), path("socket"), path("link"), device] {
            let error = check(&refused).unwrap_err();
            assert!(error.contains("save it as a file"), "{refused:?}: {error}");
        }
        for fine in [path("file"), path("none"), folder.path().to_owned()] {
            assert_eq!(check(&fine), Ok(()), "{fine:?}");
        }
    }

    #[test]
    fn what_a_shell_hands_over_is_known_by_its_name() {
        for (name, is_it) in [
            ("/dev/stdin", true),
            ("/dev/fd/63", true),
            ("/proc/self/fd/11", true),
            ("/proc/4711/fd/11", true),
            ("/dev/ttyS0", false),
            ("/dev/shm/pipe", false),
            ("/proc/kmsg", false),
            ("dev/stdin", false),
        ] {
            assert_eq!(is_from_shell(Path::new(name)), is_it, "{name}");
        }
    }

    #[test]
    fn what_has_no_end_is_not_read_to_it() {
        assert_eq!(read_all(&b"four"[..], 4).unwrap(), b"four");
        let error = read_all(io::repeat(0), 4).unwrap_err();
        assert!(error.to_string().contains("longer than 4 bytes"), "{error}");
    }
}
