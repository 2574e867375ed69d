use std::time::Duration;

use drag_solver_core::{
    Drag, DragChallenge, DragSolver, ErrorKind, Point, Screenshot, SolveError, Verdict,
};

use super::answer_key::KEYWORD;
use super::{AnswerKey, DrawError, TestPicture};
use crate::fixtures;

/// A small phone, for tests of what does not depend on the size.
fn small(seed: u64) -> TestPicture {
    TestPicture::draw_sized(seed, 180, 320).unwrap()
}

async fn ask(bytes: Vec<u8>) -> Result<Drag, SolveError> {
    let challenge = DragChallenge::new(Screenshot::from_bytes(bytes).unwrap());
    AnswerKey.solve(&challenge).await.map(|it| *it.drag())
}

fn pixels(picture: &TestPicture) -> Vec<u8> {
    let file = std::io::Cursor::new(picture.screenshot().bytes().clone());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

/// A PNG of 100 x 100 pixels with these text chunks.
fn png_with(chunks: &[(&str, &str)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 100, 100);
    for (keyword, text) in chunks {
        let (keyword, text) = ((*keyword).to_owned(), (*text).to_owned());
        encoder.add_text_chunk(keyword, text).unwrap();
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0; 100 * 100]).unwrap();
    writer.finish().unwrap();
    file
}

#[test]
fn a_seed_is_one_picture_and_two_seeds_are_two() {
    assert_eq!(small(1).screenshot(), small(1).screenshot());
    assert_ne!(small(1).screenshot(), small(2).screenshot());
    assert_ne!(small(1).drag(), small(2).drag());
}

#[test]
fn a_seed_is_the_same_picture_on_every_machine() {
    // FNV-1a over the pixels. A change of the drawing changes it: then put the new number here, and
    // draw the checked-in pictures anew.
    let digest = pixels(&small(7))
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    assert_eq!(digest, 16_208_984_001_011_382_459);
    assert_eq!(small(7).drag().to_string(), "34,131 -> 138,131");
}

#[tokio::test]
async fn the_answer_key_knows_pictures_of_any_size() {
    for (width, height) in [(64, 64), (64, 900), (900, 64), (591, 1149), (600, 270)] {
        let picture = TestPicture::draw_sized(3, width, height).unwrap();
        let (shot, drag) = (picture.screenshot(), picture.drag());
        assert_eq!((shot.width(), shot.height()), (width, height));
        assert!(drag.check(width, height, 10.0).is_ok(), "{drag}");
        assert!(picture.region().is_on(width, height));
        let solution = AnswerKey.solve(&picture.challenge()).await.unwrap();
        assert_eq!(*solution.drag(), drag);
        assert_eq!(solution.solver(), AnswerKey.name());
    }
}

/// What makes the answer true: the piece shows just what the gap hides.
#[test]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // far inside the picture
fn the_piece_is_the_missing_part_of_the_gap() {
    for seed in 0..4 {
        let picture = TestPicture::draw_sized(seed, 360, 640).unwrap();
        let (pixels, drag) = (pixels(&picture), picture.drag());
        let pixel = |at: Point, dx: i32, dy: i32| -> [f64; 3] {
            let index = |base: f64, offset: i32| (base + f64::from(offset)) as usize;
            let start = (index(at.y, dy) * 360 + index(at.x, dx)) * 3;
            [0, 1, 2].map(|channel| f64::from(pixels[start + channel]))
        };
        // Away from the sockets, which may reach a quarter into the body.
        for (dx, dy) in (-9..=9).flat_map(|dx| (-9..=9).map(move |dy| (dx, dy))) {
            let (piece, gap) = (pixel(drag.start, dx, dy), pixel(drag.end, dx, dy));
            for (piece, gap) in piece.into_iter().zip(gap) {
                let expected = piece * 0.38;
                assert!((gap - expected).abs() <= 1.0, "seed {seed}: {dx},{dy}");
            }
        }
        // The body is 48 px wide here, so its white outline is 24 px from the centre of each, and
        // these places are away from knobs and sockets.
        for (dx, dy) in [(-24, 14), (23, 14), (14, -24), (14, 23)] {
            for centre in [drag.start, drag.end] {
                let outline = pixel(centre, dx, dy);
                assert!(
                    outline.iter().all(|&channel| channel > 235.0),
                    "seed {seed}: {centre} + {dx},{dy} is {outline:?}"
                );
            }
        }
    }
}

#[test]
fn files_are_small() {
    for seed in 0..2 {
        let picture = TestPicture::draw(seed).unwrap();
        assert!(picture.screenshot().bytes().len() < 50_000);
    }
}

#[test]
fn a_size_that_cannot_be_drawn_is_refused() {
    for (width, height) in [(63, 64), (64, 63), (0, 0), (64, 32_768), (u32::MAX, 64)] {
        let error = TestPicture::draw_sized(1, width, height).unwrap_err();
        assert!(matches!(error, DrawError::Size { .. }));
        assert!(error.to_string().contains("64 to 32767"), "{error}");
    }
    assert!(TestPicture::draw_sized(1, Screenshot::MAX_SIDE, 64).is_ok());
}

#[tokio::test]
async fn other_pictures_are_unsolvable() {
    let others = [
        fixtures::screenshot().bytes().to_vec(),
        png_with(&[]),
        png_with(&[("Comment", "1,2,3,4")]),
    ];
    for bytes in others {
        let error = ask(bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsolvable);
        assert_eq!(error.solver(), Some("answer-key"));
    }
}

#[tokio::test]
async fn hostile_answers_are_unsolvable() {
    assert!(ask(png_with(&[(KEYWORD, "1,2,3,4")])).await.is_ok());
    let flood = "1,".repeat(1_000_000);
    let answers: [&[(&str, &str)]; 6] = [
        &[(KEYWORD, "")],
        &[(KEYWORD, "1,2,NaN,4")],
        &[(KEYWORD, "1,2,100,4")],
        &[(KEYWORD, "1,2,1,2")],
        &[(KEYWORD, "1,2,3,4"), (KEYWORD, "5,6,7,8")],
        &[("Comment", &flood), (KEYWORD, "1,2,3,4")],
    ];
    for chunks in answers {
        let error = ask(png_with(chunks)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsolvable);
    }
}

#[tokio::test]
async fn damaged_files_are_no_panic() {
    let whole = small(1).screenshot().bytes().to_vec();
    let pixels = whole.windows(4).position(|it| it == b"IDAT").unwrap() - 4;
    // What lacks its end, or seems to, is refused before any solver sees it.
    let end = &whole[whole.len() - 12..];
    let (mut tried, mut seen) = (0, 0);
    for cut in 33..pixels {
        let flipped = [0x01, 0x80, 0xff].map(|flip| {
            let mut damaged = whole.clone();
            damaged[cut] ^= flip;
            damaged
        });
        for damaged in flipped.into_iter().chain([[&whole[..cut], end].concat()]) {
            tried += 1;
            if let Ok(screenshot) = Screenshot::from_bytes(damaged) {
                seen += 1;
                let _ = AnswerKey.solve(&DragChallenge::new(screenshot)).await;
            }
        }
    }
    assert!(seen > tried / 2, "the solver saw {seen} of {tried}");
    let error = ask([&whole[..pixels], end].concat()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsolvable);
}

#[tokio::test(start_paused = true)]
async fn the_answer_key_minds_the_deadline_and_takes_reports() {
    let challenge = small(1).challenge();
    let late = challenge.clone().within(Duration::ZERO);
    let error = AnswerKey.solve(&late).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    let solution = AnswerKey.solve(&challenge).await.unwrap();
    assert!(AnswerKey.report(&solution, Verdict::Correct).await.is_ok());
}
