//! What every store has to do, as tests that any implementation can run.
//!
//! A store's tests name a [`Subject`] and let a macro make one test of each claim:
//! [`store_conformance!`](crate::store_conformance) for what every store promises,
//! [`durable_store_conformance!`](crate::durable_store_conformance) for what one promises that
//! outlives its process.
//!
//! ```text
//! mod conformance {
//!     constellation_actors::store_conformance!(Subject::new(), futures::executor::block_on);
//!     constellation_actors::durable_store_conformance!(Subject::new(), futures::executor::block_on);
//! }
//! ```
//!
//! What a store must be when its process is killed or its disk is full cannot be asked from
//! outside; that each store tests by itself.

use std::future::Future;

use crate::store::Store;

pub mod durable;
pub mod every;
mod sample;

/// What the suite opens stores of.
pub trait Subject {
    /// The store.
    type Store: Store;

    /// Opens the store that this subject is about. The one opened before, if any, was dropped, and
    /// what it confirmed is what a durable store finds.
    fn open(&mut self) -> impl Future<Output = Self::Store>;
}

/// Makes a test of every claim about any store. The arguments are an expression that makes a new
/// [`Subject`](crate::store::conformance::Subject), about a store that nobody has opened yet, and
/// a function that runs a future to its end.
#[macro_export]
macro_rules! store_conformance {
    ($subject:expr, $run:path) => {
        $crate::store_conformance!(@claims every, $subject, $run,
            a_new_store_knows_nothing,
            every_claim_is_answered,
            releases_and_notes_are_answered,
        );
    };
    (@claims $module:ident, $subject:expr, $run:path, $($claim:ident,)+) => {
        $(
            #[test]
            fn $claim() {
                $run($crate::store::conformance::$module::$claim($subject));
            }
        )+
    };
}

/// Makes a test of every claim about stores that outlive their process. The arguments are those of
/// [`store_conformance!`](crate::store_conformance).
#[macro_export]
macro_rules! durable_store_conformance {
    ($subject:expr, $run:path) => {
        $crate::store_conformance!(@claims durable, $subject, $run,
            a_confirmed_claim_is_there_at_the_next_start,
            what_nobody_waits_for_is_done_in_its_turn,
            every_key_comes_back_byte_for_byte,
            a_higher_epoch_replaces_the_owner,
            an_equal_or_lower_epoch_is_a_conflict,
            a_conflict_fails_no_other_claim_and_answers_keep_their_order,
            one_key_twice_in_one_call_is_judged_in_order,
            many_concurrent_claims_are_all_confirmed_and_found,
            a_release_forgets_up_to_its_epoch_and_no_further,
            a_released_pin_is_not_there_at_the_next_start,
            the_first_epoch_is_above_every_claim_of_any_life,
            the_longest_noted_lease_holds_until_it_is_lowered,
            a_store_is_complete_once_its_first_grace_is_over,
            a_cordon_lasts_until_it_is_lifted,
        );
    };
}
