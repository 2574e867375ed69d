//! From layers to a PNG file.

use drag_solver_core::Drag;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::canvas::Canvas;
use super::label;

/// The picture as a PNG file, with `drag` in its text chunk. Holds one row of pixels at a time.
pub(super) fn encode(
    canvas: &Canvas,
    width: u32,
    height: u32,
    drag: &Drag,
) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_filter(Filter::Adaptive);
    encoder.add_text_chunk(label::KEYWORD.to_owned(), label::write(drag))?;
    let mut writer = encoder.write_header()?;
    let mut rows = writer.stream_writer()?;
    let mut row = vec![0; width as usize * 3];
    for y in 0..height {
        canvas.paint_row(y, &mut row);
        std::io::Write::write_all(&mut rows, &row)?;
    }
    rows.finish()?;
    writer.finish()?;
    Ok(file)
}
