//! Tries several addresses of the same destination so that a dead one costs a quarter second and not a time-out.
//!
//! As in RFC 8305: start with the best, start the next when the one before has failed or has taken longer than the
//! stagger, take the first that succeeds and drop the rest.

use futures_util::{StreamExt, stream::FuturesUnordered};
use std::{future::Future, net::SocketAddr, time::Duration};
use tokio::time::sleep;

/// Runs `attempts` until one succeeds. When none does, all errors come back in the order in which they happened.
pub(crate) async fn race<T, E>(
    attempts: impl IntoIterator<Item = impl Future<Output = Result<T, E>>>,
    stagger: Duration,
) -> Result<T, Vec<E>> {
    let mut waiting = attempts.into_iter();
    let mut running = FuturesUnordered::new();
    let mut errors = Vec::new();
    running.extend(waiting.next());
    loop {
        let more = waiting.size_hint().1 != Some(0);
        tokio::select! {
            biased;
            result = running.next(), if !running.is_empty() => match result {
                Some(Ok(winner)) => return Ok(winner),
                Some(Err(error)) => {
                    errors.push(error);
                    running.extend(waiting.next());
                }
                None => {}
            },
            () = sleep(stagger), if more && !running.is_empty() => running.extend(waiting.next()),
            else => return Err(errors),
        }
    }
}

/// The order in which to try: the last good one, then the rest as given.
pub(crate) fn best_first<T: PartialEq + Clone>(all: &[T], last_good: Option<&T>) -> Vec<T> {
    let mut order: Vec<T> = Vec::with_capacity(all.len() + 1);
    for candidate in last_good.into_iter().chain(all) {
        if !order.contains(candidate) {
            order.push(candidate.clone());
        }
    }
    order
}

/// Addresses of one name, alternating between the two families, beginning with the one the system put first.
pub(crate) fn interleaved(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let addresses: Vec<_> = addresses.into_iter().collect();
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses
        .iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let longest = first.len().max(second.len());
    (0..longest)
        .flat_map(|at| [first.get(at), second.get(at)])
        .flatten()
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{future::Ready, pin::Pin};
    use tokio::time::Instant;

    type Attempt = Pin<Box<dyn Future<Output = Result<u32, u32>>>>;

    const STAGGER: Duration = Duration::from_millis(250);

    fn answers(number: u32, after_ms: u64) -> Attempt {
        Box::pin(async move {
            sleep(Duration::from_millis(after_ms)).await;
            Ok(number)
        })
    }

    fn fails(number: u32, after_ms: u64) -> Attempt {
        Box::pin(async move {
            sleep(Duration::from_millis(after_ms)).await;
            Err(number)
        })
    }

    async fn timed(attempts: Vec<Attempt>) -> (Result<u32, Vec<u32>>, u128) {
        let start = Instant::now();
        let result = race(attempts, STAGGER).await;
        (result, start.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_wins_when_it_is_quick() {
        assert_eq!(timed(vec![answers(1, 200), answers(2, 0)]).await, (Ok(1), 200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_one_costs_a_stagger() {
        let silent = Box::pin(std::future::pending());
        assert_eq!(timed(vec![silent, answers(2, 10)]).await, (Ok(2), 260));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_starts_the_next_at_once() {
        assert_eq!(
            timed(vec![fails(1, 5), fails(2, 5), answers(3, 5)]).await,
            (Ok(3), 15)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_slow_first_still_wins_over_a_slower_second() {
        assert_eq!(timed(vec![answers(1, 300), answers(2, 100)]).await, (Ok(1), 300));
    }

    #[tokio::test(start_paused = true)]
    async fn all_errors_come_back() {
        assert_eq!(
            timed(vec![fails(1, 500), fails(2, 0)]).await,
            (Err(vec![2, 1]), 500)
        );
        let none: [Ready<Result<u32, u32>>; 0] = [];
        assert_eq!(race(none, STAGGER).await, Err(vec![]));
    }

    #[test]
    fn what_worked_last_is_first_and_nothing_is_tried_twice() {
        assert_eq!(best_first(&["a", "b", "c"], Some(&"c")), ["c", "a", "b"]);
        assert_eq!(best_first(&["a", "b", "a"], None), ["a", "b"]);
        assert_eq!(best_first(&["a"], Some(&"gone")), ["gone", "a"]);
    }

    proptest! {
        #[test]
        fn interleaving_keeps_every_address(v6 in proptest::collection::vec(any::<bool>(), 0..12)) {
            let addresses: Vec<SocketAddr> = v6.iter().enumerate().map(|(at, v6)| {
                let port = u16::try_from(at).unwrap();
                if *v6 { ([0, 0, 0, 0, 0, 0, 0, 1], port).into() } else { ([127, 0, 0, 1], port).into() }
            }).collect();
            let mut order = interleaved(addresses.clone());
            prop_assert_eq!(order.first(), addresses.first());
            let both = v6.contains(&true) && v6.contains(&false);
            if both { prop_assert_ne!(order[0].is_ipv6(), order[1].is_ipv6()); }
            order.sort();
            let mut all = addresses;
            all.sort();
            prop_assert_eq!(order, all);
        }
    }
}
