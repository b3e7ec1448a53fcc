//! The first run of a library of the model's environment in this process, which may end with it: a file tells later starts.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::cache::Place;

/// Starts that may end within a first run before there are no more of them.
const ENDED: u8 = 3;

/// A first run: its file is there as long as it runs, and stays where the process ends with it.
#[derive(Debug)]
pub(crate) struct FirstRun(PathBuf);

impl FirstRun {
    /// Begins one, unless so many starts have ended within theirs.
    pub(crate) fn begin(place: &Place) -> Result<Self, String> {
        let file = place.folder().with_extension("trying");
        let begun = fs::read(&file).map_or(0, |bytes| bytes.len());
        if begun >= usize::from(ENDED) {
            return Err(format!(
                "{ENDED} starts ended while its library was tried in this process; delete {} to try again",
                file.display()
            ));
        }
        fs::write(&file, "x".repeat(begun + 1))
            .map_err(|error| format!("the data folder cannot be written ({error})"))?;
        Ok(Self(file))
    }
}

impl Drop for FirstRun {
    fn drop(&mut self) {
        // Starts at the same time share the file.
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        if let Err(error) = fs::remove_file(&self.0)
            && !gone(&error)
        {
            tracing::warn!(file = %self.0.display(), %error, "the file of a first run that is over cannot be deleted");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_ended_three_starts_is_not_tried_again() {
        let (data, model) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let place = Place::of(data.path(), model.path(), &["local"]).unwrap();
        fs::create_dir_all(place.folder().parent().unwrap()).unwrap();
        for _ in 0..5 {
            FirstRun::begin(&place).unwrap();
        }
        for _ in 0..3 {
            std::mem::forget(FirstRun::begin(&place).unwrap());
        }
        let refused = FirstRun::begin(&place).unwrap_err();
        assert!(refused.contains(".trying"), "{refused}");
    }
}
