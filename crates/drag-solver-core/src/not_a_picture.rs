//! What a file is that is no picture of a known format, for the person who has to find out.

/// How far into a file a picture is looked for, in bytes.
const FRONT: usize = 16 * 1024;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What the file is, and what to do, if it is one of the usual mistakes.
pub(crate) fn explain(file: &[u8]) -> Option<&'static str> {
    let front = &file[..file.len().min(FRONT)];
    let text = front.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let starts = |with: &str| {
        text.len() >= with.len() && { text[..with.len()].eq_ignore_ascii_case(with.as_bytes()) }
    };
    let brand = front
        .get(4..12)
        .and_then(|brand| brand.strip_prefix(b"ftyp"));
    Some(match brand {
        Some(b"avif" | b"avis") => "it is AVIF: convert it",
        Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1") => {
            "it is HEIC: convert it"
        }
        _ if file.starts_with(b"\x89PNG\r\r\n") || file.starts_with(b"\x89PNG\n") => {
            "it is a PNG whose line ends were changed on the way, as `adb shell` does: use `adb exec-out \
             screencap -p`, and copy it as binary"
        }
        _ if front.windows(PNG.len()).any(|bytes| bytes == PNG) => {
            "there is something in front of a PNG, as when Android's `screencap` warns that there are \
             several displays: name one with `-d`"
        }
        _ if starts("data:") => "it is a data URL: decode what is behind the comma",
        // What the formats' first bytes become.
        _ if ["iVBORw0KGgo", "/9j/", "UklGR", "R0lGOD"]
            .iter()
            .any(|start| starts(start)) =>
        {
            "it is base64 text: decode it"
        }
        _ if file.starts_with(b"BM") => "it looks like BMP: convert it",
        _ if file.starts_with(b"II*\0") || file.starts_with(b"MM\0*") => "it is TIFF: convert it",
        _ if file.starts_with(b"%PDF") => "it is PDF: convert the page",
        _ if starts("<svg") || starts("<?xml") => "it is XML, or SVG: convert it",
        _ if starts("<!doctype") || starts("<html") => {
            "it is an HTML page: what was meant to be saved is perhaps an error page"
        }
        _ if starts("{") || starts("[") => "it is JSON: the picture is perhaps a text in it",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_mistakes_are_told() {
        let cases: [(&[u8], &str); 19] = [
            (
                b"[Warning] Multiple displays were found\n\x89PNG\r\n\x1a\n\0",
                "`-d`",
            ),
            (b"\x89PNG\r\r\n\x1a\r\n", "adb exec-out"),
            (b"\x89PNG\n\x1a\n", "adb exec-out"),
            (b"data:image/png;base64,iVBORw0KGgo", "data URL"),
            (b"iVBORw0KGgoAAAANSUhEUg", "base64"),
            (b"\n/9j/4AAQSkZJRg", "base64"),
            (b"\xef\xbb\xbfR0lGODlh", "base64"),
            (b"UklGRiQAAABXRUJQ", "base64"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0", "HEIC"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
            (b"BM\x36\x10", "BMP"),
            (b"II*\0\x08\0\0\0", "TIFF"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"%PDF-1.7", "PDF"),
            (b"\r\n<!DOCTYPE html>", "HTML"),
            (b"<HTML>", "HTML"),
            (b"<svg xmlns", "SVG"),
            (b" {\"error\": true}", "JSON"),
        ];
        for (file, what) in cases {
            let told = explain(file).unwrap_or_default();
            assert!(told.contains(what), "{what}: {told}");
        }
        assert_eq!(explain(b"# drag-solver"), None);
        assert_eq!(explain(b""), None);
    }
}
