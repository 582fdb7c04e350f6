//! What `moodring query` shows of a state.

use crate::util::Workspace;

#[test]
fn a_run_without_late_posts_has_an_empty_list_of_them() {
    let work = Workspace::new();
    work.file(
        "posts.jsonl",
        "{\"text\":\"what a day\",\"t\":\"2026-01-01T00:00:01Z\"}\n",
    );
    work.ok(&[
        "live",
        "--source",
        "replay:posts.jsonl?time-field=t&speed=max",
        "--until-end",
        "--state",
        "state.db",
    ]);
    let late = work.ok(&["query", "state.db", "late", "--format", "jsonl"]);
    assert_eq!(String::from_utf8_lossy(&late.stdout), "");
    let windows = work.ok(&["query", "state.db", "--format", "jsonl"]);
    assert_eq!(String::from_utf8_lossy(&windows.stdout).lines().count(), 1);
}
