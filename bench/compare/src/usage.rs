//! What processes have used, as the system counts it: CPU time and memory of a program and of those
//! that it started.

use std::{fs, time::Duration};

use rustix::param::clock_ticks_per_second;

use crate::{
    error::{Error, at},
    process::Process,
};

/// The CPU time, in the user's and the system's part, that `processes` and their children have used.
///
/// # Errors
///
/// When one of them has ended.
pub(crate) fn cpu_time(processes: &[Process]) -> Result<Duration, Error> {
    let mut total = Duration::ZERO;
    for id in family(processes)? {
        let what = format!("reading the CPU time of process {id}");
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).map_err(at(what))?;
        total += ticks(&stat).unwrap_or_default();
    }
    Ok(total)
}

/// The user's and the system's time in a line of /proc/ID/stat (proc(5), fields 14 and 15). The name
/// of the program may hold blanks, so counting begins behind it.
fn ticks(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let seconds = (user + system) as f64 / clock_ticks_per_second() as f64;
    Some(Duration::from_secs_f64(seconds))
}

/// The memory that `processes` and their children hold now, in KiB, and the most that they ever did.
///
/// # Errors
///
/// When one of them has ended.
pub(crate) fn memory_kib(processes: &[Process]) -> Result<(u64, u64), Error> {
    let (mut now, mut peak) = (0, 0);
    for id in family(processes)? {
        let what = format!("reading the memory of process {id}");
        let status = fs::read_to_string(format!("/proc/{id}/status")).map_err(at(what))?;
        now += kib(&status, "VmRSS:").unwrap_or_default();
        peak += kib(&status, "VmHWM:").unwrap_or_default();
    }
    Ok((now, peak))
}

/// The memory that is left for programs, in KiB.
///
/// # Errors
///
/// When the system does not say.
pub(crate) fn available_kib() -> Result<u64, Error> {
    let memory = fs::read_to_string("/proc/meminfo").map_err(at("reading the machine's memory"))?;
    kib(&memory, "MemAvailable:")
        .ok_or_else(|| Error::Program("the system does not say how much memory is left".to_owned()))
}

fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The ids of processes and their children.
fn family(processes: &[Process]) -> Result<Vec<u32>, Error> {
    let mut ids = Vec::new();
    for process in processes {
        let id = process.id();
        let file = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(file).map_err(at(format!("looking for process {id}")))?;
        ids.push(id);
        ids.extend(
            children
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_with_blanks() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 5 0";
        assert_eq!(ticks(stat), Some(Duration::from_secs(2)));
    }

    #[test]
    fn memory_is_read_by_its_name() {
        let status = "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(
            (kib(status, "VmRSS:"), kib(status, "VmHWM:")),
            (Some(1024), Some(2048))
        );
    }
}
