//! Files that are read.

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
    let is_from_shell = path.starts_with("/dev") || path.starts_with("/proc");
    match path.metadata() {
        Ok(there) if !there.is_file() && !there.is_dir() && !is_from_shell => {
            Err("it is no regular file, but a pipe, a socket or a device: save it as a file first")
        }
        _ => Ok(()), // what else is wrong is told when it is read
    }
}

/// Reads all of a file of at most so many bytes.
///
/// # Errors
///
/// It cannot be read, is longer, or is refused by [`check`].
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    check(path).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
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
        for name in ["pipe", "socket", "link"] {
            let error = check(&path(name)).unwrap_err();
            assert!(error.contains("save it as a file"), "{name}: {error}");
        }
        for fine in [
            path("file"),
            path("none"),
            folder.path().to_owned(),
            "/dev/null".into(),
        ] {
            assert_eq!(check(&fine), Ok(()), "{fine:?}");
        }
    }
}
