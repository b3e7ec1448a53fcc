//! The params of a call, enforced: what `predict` gets as its `params`.
//!
//! Knows values and their order; which are allowed is the contract's matter.

/// The params that a caller gave, in the caller's order. The model's defaults stand for the others, behind them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params(pub Vec<(String, ParamValue)>);

impl Params {
    /// Whether every param that was given has the value that it has in `defaults`.
    pub fn repeats(&self, defaults: &Params) -> bool {
        let same = |given: &ParamValue, default: &ParamValue| match (given, default) {
            // Python tells the two zeros apart.
            (ParamValue::Float(a), ParamValue::Float(b)) => a.to_bits() == b.to_bits(),
            (given, default) => given == default,
        };
        self.0.iter().all(|(name, given)| {
            let mut defaults = defaults.0.iter();
            defaults.any(|(known, default)| known == name && same(given, default))
        })
    }
}

/// A value as Python shall see it.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// `None`
    Null,
    /// `bool`
    Boolean(bool),
    /// `int`
    Integer(i64),
    /// `float`
    Float(f64),
    /// `str`
    Text(String),
    /// `datetime.date`
    Date(Moment),
    /// `datetime.datetime`, without a zone
    Datetime(Moment),
    /// `list`
    List(Vec<ParamValue>),
    /// `dict`
    Object(Vec<(String, ParamValue)>),
}

/// A date, or a time of a day, of the years 1 to 9999, in the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Microseconds since 1970-01-01T00:00:00.
    micros: i64,
}

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;

impl Moment {
    /// Midnight of a day; `None` when the calendar has no such day.
    pub(crate) fn midnight(year: i64, month: i64, day: i64) -> Option<Self> {
        let known = (1..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day);
        known.then(|| Self {
            micros: days_from_civil(year, month, day) * DAY * MICROS,
        })
    }

    /// This moment moved by `micros`; `None` where that leaves the years 1 to 9999.
    pub(crate) fn shifted(self, micros: i64) -> Option<Self> {
        let moved = Self {
            micros: self.micros.checked_add(micros)?,
        };
        (1..=9999).contains(&moved.civil().0).then_some(moved)
    }

    /// Year, month and day.
    fn civil(self) -> (i64, i64, i64) {
        civil_from_days(self.micros.div_euclid(DAY * MICROS))
    }

    /// `2024-01-02`
    pub fn date_text(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `2024-01-02T03:04:05`, with six digits after a point where there is a fraction of a second.
    pub fn datetime_text(self) -> String {
        let within = self.micros.rem_euclid(DAY * MICROS);
        let (seconds, micros) = (within / MICROS, within % MICROS);
        let date = self.date_text();
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        if micros == 0 {
            format!("{date}T{hour:02}:{minute:02}:{second:02}")
        } else {
            format!("{date}T{hour:02}:{minute:02}:{second:02}.{micros:06}")
        }
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Years are counted from March, so that a leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let year = if month > 2 { year } else { year - 1 };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + (153 * from_march + 2) / 5 + day - 1 - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // An estimate that is never too late, then the year in which the day lies.
    let mut year = 1970 + days.div_euclid(366);
    while days_from_civil(year + 1, 1, 1) <= days {
        year += 1;
    }
    while days_from_civil(year, 1, 1) > days {
        year -= 1;
    }
    let mut month = 12;
    while days_from_civil(year, month, 1) > days {
        month -= 1;
    }
    (year, month, days - days_from_civil(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_counts_days_both_ways() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        assert_eq!(days_from_civil(1, 1, 1), -719_162);
        let mut next = days_from_civil(1899, 12, 31);
        for year in 1900..2105 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    next += 1;
                    assert_eq!(days_from_civil(year, month, day), next);
                    assert_eq!(civil_from_days(next), (year, month, day));
                }
            }
        }
        for day in [(1, 1, 1), (4, 2, 29), (9999, 12, 31)] {
            assert_eq!(civil_from_days(days_from_civil(day.0, day.1, day.2)), day);
        }
    }

    #[test]
    fn days_that_do_not_exist_are_none() {
        for (year, month, day) in [
            (1900, 2, 29),
            (2024, 2, 30),
            (2024, 13, 1),
            (0, 1, 1),
            (10_000, 1, 1),
        ] {
            assert_eq!(Moment::midnight(year, month, day), None);
        }
        assert!(Moment::midnight(2000, 2, 29).is_some());
    }
}
