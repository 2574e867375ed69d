//! Text that is safe in HTML and SVG.

use std::fmt::Write as _;

/// `text` as text, with all that is in it, in an element and in a quoted attribute. Control characters, and those that reorder
/// what a reader sees, are shown as a replacement.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c if c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                safe.push('\u{fffd}');
            }
            c => safe.push(c),
        }
    }
    safe
}

/// A table. The cells are HTML already; the first of each row is its heading. In one of the class `cards`, rows are
/// cards on a narrow screen, where each cell says what it is.
pub(super) fn table(class: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = format!("<div class=\"wide\"><table class=\"{class}\"><thead><tr>");
    // Writing to a String cannot fail.
    for cell in header {
        let _ = write!(html, "<th scope=\"col\">{cell}</th>");
    }
    html += "</tr></thead><tbody>";
    for row in rows {
        html += "<tr>";
        for (column, (cell, name)) in row.iter().zip(header).enumerate() {
            let _ = match column {
                0 => write!(html, "<th scope=\"row\">{cell}</th>"),
                _ => write!(html, "<td data-name=\"{name}\">{cell}</td>"),
            };
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            escaped("<script>'\"&\u{202e}\n</script>é"),
            "&lt;script&gt;&#39;&quot;&amp;\u{fffd}\u{fffd}&lt;/script&gt;é"
        );
    }
}
