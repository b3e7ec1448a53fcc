//! The memory that request bodies may take together, of all connections.
//!
//! Knows no request: bytes are asked for, and come back when what holds them is dropped.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one unit.
const UNIT: usize = 4 << 10;

/// Room for bodies; cheap to clone, all clones share it.
#[derive(Clone)]
pub(crate) struct Room {
    units: Arc<Semaphore>,
    limit: usize,
}

/// A part of the room.
pub(crate) struct Held {
    room: Room,
    units: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// No room is left.
#[derive(Debug)]
pub(crate) struct Full {
    /// Bytes of the whole room.
    pub(crate) limit: usize,
}

impl Room {
    pub(crate) fn of(bytes: usize) -> Self {
        let units = bytes.div_ceil(UNIT).min(Semaphore::MAX_PERMITS);
        Self {
            units: Arc::new(Semaphore::new(units)),
            limit: bytes,
        }
    }

    pub(crate) fn nothing(&self) -> Held {
        Held {
            room: self.clone(),
            units: 0,
            permit: None,
        }
    }
}

impl Held {
    /// Holds room for `bytes` in all from now on, or as much as before.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let full = Full {
            limit: self.room.limit,
        };
        let needed = bytes.div_ceil(UNIT);
        let Some(more) = needed.checked_sub(self.units).filter(|more| *more > 0) else {
            return Ok(());
        };
        let Ok(count) = u32::try_from(more) else {
            return Err(full);
        };
        let Ok(permit) = Arc::clone(&self.room.units).try_acquire_many_owned(count) else {
            return Err(full);
        };
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
        self.units = needed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_shared_and_comes_back() {
        let room = Room::of(10 * UNIT);
        let (mut one, mut other) = (room.nothing(), room.nothing());
        one.grow(1).unwrap();
        one.grow(6 * UNIT).unwrap();
        other.grow(4 * UNIT).unwrap();
        assert_eq!(other.grow(4 * UNIT + 1).unwrap_err().limit, 10 * UNIT);
        drop(one);
        other.grow(10 * UNIT).unwrap();
        drop(other);
        room.nothing().grow(10 * UNIT).unwrap();
    }
}
