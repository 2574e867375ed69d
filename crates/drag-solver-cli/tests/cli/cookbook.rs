//! The commands and programs of docs/cookbook.md, one after the other in one folder.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use drag_solver_emulator::{Emulator, Protocol};
use drag_solver_mock::pictures::{AnswerKey, TestPicture};

const PICTURES: u64 = 3;

/// The blocks of code in one of these languages, in order.
fn blocks(page: &str, languages: &[&str]) -> Vec<(String, String)> {
    let code = page.split("```").skip(1).step_by(2);
    let blocks = code.filter_map(|block| block.split_once('\n'));
    let wanted = blocks.filter(|(language, _)| languages.contains(language));
    wanted
        .map(|(language, code)| (language.to_owned(), code.to_owned()))
        .collect()
}

/// Runs one block as its reader would.
fn run(program: &str, code: &str, folder: &Path, provider: &str) -> Output {
    let command = Path::new(env!("CARGO_BIN_EXE_drag-solver"));
    let beside = command.parent().unwrap().display();
    let path = format!("{beside}:{}", std::env::var("PATH").unwrap());
    Command::new(program)
        .args(["-c", code])
        .current_dir(folder)
        .env("PATH", path)
        .env("OMOCAPTCHA_API_TOKEN", "hunter2")
        .env("OMOCAPTCHA_BASE_URL", provider)
        .env_remove("DRAG_SOLVER_STORE")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[tokio::test]
async fn what_the_cookbook_says_can_be_copied_and_nothing_is_bought_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/cookbook.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("shots")).unwrap();
    for seed in 0..PICTURES {
        let picture = TestPicture::draw_sized(seed, 100, 200).unwrap();
        let file = folder.path().join(format!("shots/{seed}.png"));
        std::fs::write(file, picture.screenshot().bytes()).unwrap();
    }
    let chain = &blocks(&page, &["toml"])[0].1;
    std::fs::write(folder.path().join("chain.toml"), chain).unwrap();
    let provider = Emulator::builder().solver(AnswerKey).start().await.unwrap();
    let url = provider.url(Protocol::OmocaptchaV1);
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    let (mut commands, mut programs) = (0, 0);
    for (language, code) in blocks(&page, &["sh", "python"]) {
        let (program, code) = match &*language {
            "sh" => ("sh", format!("set -eu\n{code}")),
            _ if !has_python => continue,
            _ => ("python3", code),
        };
        let (path, address) = (folder.path().to_owned(), url.clone());
        let shown = code.clone();
        let ran = tokio::task::spawn_blocking(move || run(program, &code, &path, &address));
        let ran = ran.await.unwrap();
        assert!(ran.status.success(), "{shown}\n{ran:?}");
        let printed = String::from_utf8(ran.stdout).unwrap();
        if program == "python3" {
            programs += 1;
            let is_an_answer =
                printed.contains("shots/0.png ") || printed.contains("order-7 solved");
            assert!(is_an_answer, "{printed}");
        }
        commands += 1;
    }
    assert!(commands >= 7, "found only {commands}");
    assert!(!has_python || programs == 2);
    // Every file once, and one picture once more under another name.
    let names = PICTURES + u64::from(has_python);
    assert_eq!(provider.stats().jobs_created, names);
}
