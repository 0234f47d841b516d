//! Placing keys and losing a worker, as the controller decides it, with a store that confirms at once.

use criterion::{BatchSize, Criterion, Throughput};
use micro::cluster::{Cluster, keys};

/// How many workers there are.
const WORKERS: u64 = 10;

/// How many keys there are before anything is measured.
const PLACED: usize = 10_000;

/// How many keys are placed at a time: the figures are for each.
const NEW: usize = 1_000;

fn main() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    place(&mut criterion);
    find(&mut criterion);
    lose(&mut criterion);
    criterion.final_summary();
}

fn place(criterion: &mut Criterion) {
    let (placed, new) = (keys(0, PLACED), keys(PLACED, NEW));
    let mut group = criterion.benchmark_group("placement");
    group.throughput(Throughput::Elements(NEW as u64));
    group.bench_function("place a thousand new keys among 10 workers", |bencher| {
        bencher.iter_batched_ref(
            || Cluster::with_keys(WORKERS, &placed),
            |cluster| new.iter().for_each(|key| cluster.resolve(key)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn find(criterion: &mut Criterion) {
    let placed = keys(0, PLACED);
    let mut cluster = Cluster::with_keys(WORKERS, &placed);
    let mut turns = placed.iter().cycle();
    criterion.bench_function("placement/find the owner of a key", |bencher| {
        bencher.iter(|| {
            if let Some(key) = turns.next() {
                cluster.resolve(key);
            }
        });
    });
}

fn lose(criterion: &mut Criterion) {
    let placed = keys(0, PLACED);
    let mut group = criterion.benchmark_group("placement");
    group.bench_function("lose a worker with a thousand keys", |bencher| {
        bencher.iter_batched_ref(
            || Cluster::with_keys(WORKERS, &placed),
            Cluster::lose_a_worker,
            BatchSize::PerIteration,
        );
    });
    group.throughput(Throughput::Elements(PLACED as u64 / WORKERS));
    group.bench_function("clear its thousand keys away", |bencher| {
        let lost = || {
            let mut cluster = Cluster::with_keys(WORKERS, &placed);
            cluster.lose_a_worker();
            cluster
        };
        bencher.iter_batched_ref(lost, Cluster::clear, BatchSize::PerIteration);
    });
    group.finish();
}
