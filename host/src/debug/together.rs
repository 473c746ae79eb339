//! Who asks for the same profile while nobody has begun to make it gets the same answer: it is of a moment after all of them
//! asked. However many clients there are, a guest is looked at once a turn.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::watch;

use super::answer::Refusal;
use super::work::Work;

/// What comes of it; nothing yet.
type Answer = Option<Result<Bytes, Refusal>>;

/// Those that wait, by what they ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct Together(Arc<Mutex<HashMap<String, watch::Receiver<Answer>>>>);

impl Together {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Answer>>> {
        // Nothing in between can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has it made when its turn comes, for all that have asked for `what` by then. It is made even if all of them leave.
    pub(super) async fn ask(
        &self,
        what: String,
        work: &Work,
        make: impl FnOnce() -> Result<Vec<u8>, Refusal> + Send + 'static,
    ) -> Result<Bytes, Refusal> {
        let mut answer = {
            let mut waiting = self.waiting();
            match waiting.get(&what) {
                Some(answer) => answer.clone(),
                None => {
                    let (made, answer) = watch::channel(None);
                    waiting.insert(what.clone(), answer.clone());
                    let (own, work) = (self.clone(), work.clone());
                    tokio::spawn(async move {
                        let begin = move || {
                            // Whoever comes from now on asks for a later moment.
                            own.waiting().remove(&what);
                            make()
                        };
                        let result = work.run(begin).await.and_then(|result| result);
                        made.send_replace(Some(result.map(Bytes::from)));
                    });
                    answer
                }
            }
        };
        let answer = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        answer.unwrap_or_else(|| Err(Refusal::failed("wprof failed to make it")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn who_waits_for_the_same_is_answered_together() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (together, work, n_made) = (Together::default(), Work::one_at_a_time(), Arc::new(AtomicU32::new(0)));
            // While this is under way, nobody else has a turn.
            let (release, released) = mpsc::channel::<()>();
            let (begun, has_begun) = tokio::sync::oneshot::channel();
            let first = {
                let work = work.clone();
                tokio::spawn(async move {
                    work.run(move || {
                        begun.send(()).unwrap();
                        released.recv().unwrap();
                    })
                    .await
                })
            };
            has_begun.await.unwrap();
            let ask = |what: &str| {
                let (together, work, n_made) = (together.clone(), work.clone(), Arc::clone(&n_made));
                let what = what.to_owned();
                tokio::spawn(async move {
                    let make = move || Ok(n_made.fetch_add(1, Ordering::SeqCst).to_string().into_bytes());
                    together.ask(what, &work, make).await
                })
            };
            let mut asked = Vec::new();
            for n in 0..20 {
                asked.push(ask(if n % 2 == 0 { "heap" } else { "allocs" }));
            }
            // One that has left makes no difference to the others.
            tokio::task::yield_now().await;
            asked.remove(0).abort();
            release.send(()).unwrap();
            first.await.unwrap().unwrap();
            let mut answers = Vec::new();
            for answer in asked {
                answers.push(answer.await.unwrap().unwrap());
            }
            assert_eq!(n_made.load(Ordering::SeqCst), 2, "one for each name: {answers:?}");
            assert!(answers.iter().step_by(2).all(|it| *it == answers[0]) && answers[0] != answers[1]);
            let later = ask("heap").await.unwrap().unwrap();
            assert_eq!(later, "2", "what was made before is not for those who ask later");
        });
    }

    #[test]
    fn a_failure_is_everybodys() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (together, work) = (Together::default(), Work::default());
            let refused = together.ask("x".to_owned(), &work, || Err(Refusal::failed("no"))).await;
            assert!(refused.is_err());
            let panicked = together.ask("x".to_owned(), &work, || panic!("asked to")).await;
            assert!(panicked.is_err(), "and nobody waits for ever");
            assert!(together.ask("x".to_owned(), &work, || Ok(vec![1])).await.is_ok());
        });
    }
}
