//! Which files a run reads and writes. A file that is written may have no other use in the run: otherwise an input would
//! be overwritten, or two outputs would be mixed.
//!
//! Files are told apart by device and inode, so that links, `./`, descriptors and redirections of the shell do not matter.
//! A file that does not exist yet is known by its folder and its name in it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use anyhow::anyhow;
use moodring_feed::{Input, Origin, name_of};
use moodring_job::Model;
use moodring_store::{Journal, PartFile, is_stdout};
use rustix::fs::{FileType, fstat};
use rustix::stdio::dup2_stderr;

use crate::exit::Failure;
use crate::streams::{self, Standard};

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Access {
    /// It is read.
    Read,
    /// It is created or replaced.
    Replace,
    /// It is open, or is opened, and written from front to back.
    Stream,
    /// What the program has to say is written to it: standard error.
    Notices,
}

impl Access {
    /// Whether a file may not be used in both ways.
    fn excludes(self, other: Access) -> bool {
        match (self, other) {
            (Access::Read, Access::Read) => false,
            // `2>&1` is for people who want both in one place.
            (Access::Notices, other) | (other, Access::Notices) => {
                matches!(other, Access::Read | Access::Replace)
            }
            _ => true,
        }
    }
}

/// What makes a file the same as another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    /// Its device and inode.
    Inode(u64, u64),
    /// The device and inode of its folder, and its name there, if it does not exist yet.
    Name(u64, u64, OsString),
}

impl Identity {
    /// The file that `path` leads to. `None` if it cannot exist, or if it does no harm to use it twice, as with terminals
    /// and `/dev/null`.
    pub(crate) fn of(path: &Path) -> Option<Identity> {
        if let Ok(metadata) = fs::metadata(path) {
            let kind = metadata.file_type();
            let is_harmless = kind.is_char_device() || kind.is_socket();
            return (!is_harmless).then(|| Identity::Inode(metadata.dev(), metadata.ino()));
        }
        let folder = fs::metadata(folder_of(path)).ok()?;
        let name = path.file_name()?.to_owned();
        Some(Identity::Name(folder.dev(), folder.ino(), name))
    }

    /// What a descriptor is open at.
    fn of_open(descriptor: impl AsFd) -> Option<Identity> {
        let stat = fstat(descriptor).ok()?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let is_harmless = matches!(kind, FileType::CharacterDevice | FileType::Socket);
        (!is_harmless).then_some(Identity::Inode(stat.st_dev, stat.st_ino))
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A use that a run makes of a file.
#[derive(Debug)]
struct Use {
    /// What the file is to the run, such as "the output".
    role: &'static str,
    name: String,
    access: Access,
    /// What to do if the file has another use.
    remedy: &'static str,
}

impl Use {
    fn described(&self) -> String {
        if self.name.is_empty() {
            self.role.to_owned()
        } else {
            format!("{} `{}`", self.role, self.name)
        }
    }
}

/// All uses that a run makes of files.
#[derive(Debug, Default)]
pub(crate) struct Files {
    uses: Vec<(Identity, Use)>,
    /// Why the run cannot have the files that it needs, whatever their other uses are.
    refusals: Vec<String>,
}

const OTHER_OUTPUT: &str = "name another output with -o";

impl Files {
    /// The run reads these inputs.
    pub(crate) fn read_inputs(&mut self, inputs: &[Input]) {
        for input in inputs {
            let (role, name, identity) = match &input.origin {
                Origin::File(path) => ("the input", input.name.clone(), Identity::of(path)),
                Origin::Stdin => {
                    let identity = Identity::of_open(std::io::stdin());
                    if streams::was_closed(Standard::Input) {
                        self.refusals.push(
                            "standard input is closed; give the posts to it, or name a file"
                                .to_owned(),
                        );
                    }
                    ("standard input", String::new(), identity)
                }
            };
            self.add(role, name, Access::Read, "", identity);
        }
    }

    /// The run reads the files of these models.
    pub(crate) fn read_models(&mut self, models: &[Model]) {
        for model in models {
            if let Some(file) = model.file() {
                self.add_path("the file of a model", &file.path, Access::Read, "");
            }
        }
    }

    /// The run writes this output, and what belongs to it while it is not complete; standard output if there is none.
    pub(crate) fn write_output(&mut self, output: Option<&Path>) {
        let Some(path) = output else {
            return self.write_stdout();
        };
        let parts = ["the output", "the output's part file"];
        if self.write_whole(path, parts, OTHER_OUTPUT) {
            let journal = Journal::path_of(path);
            let role = "the output's journal";
            self.add_path(role, &journal, Access::Replace, OTHER_OUTPUT);
        }
    }

    /// The run writes this file for rejects.
    pub(crate) fn write_rejects(&mut self, path: &Path) {
        let roles = ["the rejects file", "the part file of the rejects file"];
        self.write_whole(path, roles, "name another file with --rejects");
    }

    /// The run writes this file for quarantined records.
    pub(crate) fn write_quarantine(&mut self, path: &Path) {
        let roles = [
            "the quarantine file",
            "the part file of the quarantine file",
        ];
        self.write_whole(path, roles, "name another file with --quarantine");
    }

    /// The run writes this file of windows.
    pub(crate) fn write_windows(&mut self, path: &Path) {
        let roles = ["the windows file", "the part file of the windows file"];
        self.write_whole(path, roles, "name another file with --windows");
    }

    /// The run writes something to standard output.
    pub(crate) fn write_stdout(&mut self) {
        let identity = Identity::of_open(std::io::stdout());
        let remedy = "send standard output to another file";
        let name = String::new();
        self.check_stdout();
        self.add("standard output", name, Access::Stream, remedy, identity);
    }

    /// The run writes notices to standard error.
    pub(crate) fn write_notices(&mut self) {
        let identity = Identity::of_open(std::io::stderr());
        let remedy = "send standard error to another file";
        let name = String::new();
        self.add("standard error", name, Access::Notices, remedy, identity);
    }

    fn check_stdout(&mut self) {
        if streams::was_closed(Standard::Output) {
            self.refusals.push(
                "standard output is closed, and results that go there would be lost; open it"
                    .to_owned(),
            );
        }
    }

    /// Adds a file that gets its name when it is complete, and says whether it is one that does.
    fn write_whole(&mut self, path: &Path, roles: [&'static str; 2], remedy: &'static str) -> bool {
        if is_stdout(path) {
            let identity = Identity::of_open(std::io::stdout());
            let name = name_of(path);
            self.check_stdout();
            self.add(roles[0], name, Access::Stream, remedy, identity);
            return false;
        }
        let part = PartFile::path_of(path);
        let access = match part {
            Some(_) => Access::Replace,
            None => Access::Stream,
        };
        self.add_path(roles[0], path, access, remedy);
        if let Some(part) = &part {
            self.add_path(roles[1], part, Access::Replace, remedy);
        }
        part.is_some()
    }

    fn add_path(&mut self, role: &'static str, path: &Path, access: Access, remedy: &'static str) {
        let name = name_of(path);
        let is_dangling = fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink())
            && fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if is_dangling && access != Access::Read {
            // It cannot be compared with the other files: the file that it leads to does not exist yet.
            self.refusals.push(format!(
                "{role} `{name}` is a link to a file that does not exist; remove the link, or name the file itself"
            ));
        }
        self.add(role, name, access, remedy, Identity::of(path));
    }

    fn add(
        &mut self,
        role: &'static str,
        name: String,
        access: Access,
        remedy: &'static str,
        identity: Option<Identity>,
    ) {
        if let Some(identity) = identity {
            let file = Use {
                role,
                name,
                access,
                remedy,
            };
            self.uses.push((identity, file));
        }
    }

    /// Refuses a run that would write a file which has another use in it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let Some((first, second)) = self.conflict() else {
            return match self.refusals.first() {
                Some(refusal) => Err(Failure::Usage(anyhow!(refusal.clone()))),
                None => Ok(()),
            };
        };
        self.spare_stderr();
        let remedy = if first.remedy.is_empty() {
            second.remedy
        } else {
            first.remedy
        };
        let sentence = if first.name == second.name {
            format!("{} is also {}", first.described(), second.role)
        } else {
            let (first, second) = (first.described(), second.described());
            format!("{first} and {second} are the same file")
        };
        Err(Failure::Usage(anyhow!("{sentence}; {remedy}")))
    }

    /// Has what is said on standard error go elsewhere if it would change a file of the run.
    fn spare_stderr(&self) {
        let is_used = |open: Option<Identity>| {
            let is_file = |access| matches!(access, Access::Read | Access::Replace);
            let mut uses = self.uses.iter();
            open.is_some_and(|open| uses.any(|(of, file)| *of == open && is_file(file.access)))
        };
        if !is_used(Identity::of_open(std::io::stderr())) {
            return;
        }
        // Where this fails there is nothing left to try.
        let _ = if is_used(Identity::of_open(std::io::stdout())) {
            let null = OpenOptions::new().write(true).open("/dev/null");
            null.map(|null| dup2_stderr(null).is_ok())
        } else {
            Ok(dup2_stderr(std::io::stdout()).is_ok())
        };
    }

    /// Whether the run writes the file that `path` leads to.
    pub(crate) fn is_written(&self, path: &Path) -> bool {
        let Some(identity) = Identity::of(path) else {
            return false;
        };
        let is_written = |file: &Use| matches!(file.access, Access::Replace | Access::Stream);
        let mut uses = self.uses.iter();
        uses.any(|(of, file)| *of == identity && is_written(file))
    }

    /// Two uses of one file that exclude each other.
    fn conflict(&self) -> Option<(&Use, &Use)> {
        // One use of each kind is enough to find out whether another one is excluded.
        let mut known: HashMap<&Identity, Vec<&Use>> = HashMap::new();
        for (identity, file) in &self.uses {
            let others = known.entry(identity).or_default();
            if let Some(other) = others
                .iter()
                .find(|other| other.access.excludes(file.access))
            {
                return Some((other, file));
            }
            if others.iter().all(|other| other.access != file.access) {
                others.push(file);
            }
        }
        None
    }
}
