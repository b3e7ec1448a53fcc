//! The service with scorers that are driven by hand: no process, no sleep.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use sluis_mlflow::{Answer, DType, DenseBlock, Input, ModelCall, Raised, Work};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::time::Instant;

use crate::{
    Drained, ScoreError, Scorer, ScorerError, ScorerLost, ScoringConfig, ScoringMetrics,
    ScoringService,
};

/// A call that the test answers.
struct Call {
    work: Work,
    answer: oneshot::Sender<Result<Answer, ScorerError>>,
}

/// A scorer that hands its calls to the test.
struct ByHand {
    calls: mpsc::UnboundedSender<Call>,
    lost: Option<String>,
    /// Notified when the idle instance ends by itself.
    end: Arc<Notify>,
}

impl Scorer for ByHand {
    async fn ready(&mut self) -> Result<(), ScorerLost> {
        self.lost
            .clone()
            .map_or(Ok(()), |cause| Err(ScorerLost(cause)))
    }
    async fn ended(&mut self) {
        self.end.notified().await;
    }
    async fn score(&mut self, work: Work, deadline: Instant) -> Result<Answer, ScorerError> {
        let (answer, answered) = oneshot::channel();
        self.calls.send(Call { work, answer }).ok();
        tokio::time::timeout_at(deadline, answered)
            .await
            .map_or(Err(ScorerError::TimedOut), |answer| answer.unwrap())
    }
    async fn stop(self, _: Duration) {}
}

fn start(config: ScoringConfig, slots: usize) -> (ScoringService, mpsc::UnboundedReceiver<Call>) {
    let (sender, calls) = mpsc::unbounded_channel();
    let scorers = (0..slots)
        .map(|_| ByHand {
            calls: sender.clone(),
            lost: None,
            end: Arc::default(),
        })
        .collect();
    let metrics = ScoringMetrics::register(&mut Registry::default());
    (ScoringService::start(config, scorers, metrics), calls)
}

fn row(value: u8) -> Work {
    Work::from(Input::Tensor(
        DenseBlock::new(DType::UInt8, vec![1, 1], vec![value].into()).unwrap(),
    ))
}

/// The values of a call, answered by themselves.
fn echo(call: Call) -> Vec<u8> {
    let Work::Call(ModelCall {
        input: Input::Tensor(block),
        ..
    }) = call.work
    else {
        panic!("a tensor was sent")
    };
    let values = block.bytes.to_vec();
    call.answer.send(Ok(Answer::Dense(block))).ok();
    values
}

fn value(answer: Result<Answer, ScoreError>) -> u8 {
    match answer.unwrap() {
        Answer::Dense(block) => block.bytes[0],
        other => panic!("{other:?}"),
    }
}

fn ask(
    service: &ScoringService,
    number: u8,
) -> tokio::task::JoinHandle<Result<Answer, ScoreError>> {
    let service = service.clone();
    tokio::spawn(async move { service.score(row(number)).await })
}

#[tokio::test(start_paused = true)]
async fn what_waits_shares_a_call_and_each_gets_its_own_row() {
    let config = ScoringConfig {
        merge: true,
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let first = ask(&service, 1);
    let busy = calls.recv().await.unwrap();
    let waiting: Vec<_> = [2, 3, 4]
        .into_iter()
        .map(|number| ask(&service, number))
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(echo(busy), [1]);
    assert_eq!(echo(calls.recv().await.unwrap()), [2, 3, 4]);
    assert_eq!(value(first.await.unwrap()), 1);
    for (number, task) in [2, 3, 4].into_iter().zip(waiting) {
        assert_eq!(value(task.await.unwrap()), number);
    }
}

#[tokio::test(start_paused = true)]
async fn one_more_than_the_limit_is_refused_at_once() {
    let config = ScoringConfig {
        max_requests: 1,
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let first = ask(&service, 1);
    let call = calls.recv().await.unwrap();
    let refused = service.score(row(2)).await;
    assert!(matches!(
        refused,
        Err(ScoreError::Overloaded { waiting: 1, .. })
    ));
    echo(call);
    assert_eq!(value(first.await.unwrap()), 1);
    assert_eq!(service.drain(Duration::from_secs(1)).await, Drained::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_scored_request_by_request() {
    let config = ScoringConfig {
        merge: true,
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let blocker = ask(&service, 9);
    let busy = calls.recv().await.unwrap();
    let tasks: Vec<_> = [1, 2]
        .into_iter()
        .map(|number| ask(&service, number))
        .collect();
    tokio::task::yield_now().await;
    echo(busy);
    value(blocker.await.unwrap());
    let error = Raised {
        class: "ValueError".into(),
        message: "no".into(),
        document: None,
        unserializable: false,
        unasked: false,
    };
    let joined = calls.recv().await.unwrap();
    joined
        .answer
        .send(Err(ScorerError::Model(error.clone())))
        .ok();
    calls
        .recv()
        .await
        .unwrap()
        .answer
        .send(Err(ScorerError::Model(error)))
        .ok();
    assert_eq!(echo(calls.recv().await.unwrap()), [2]);
    let mut tasks = tasks.into_iter();
    assert!(matches!(
        tasks.next().unwrap().await.unwrap(),
        Err(ScoreError::Model(_))
    ));
    assert_eq!(value(tasks.next().unwrap().await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_instance_ends_is_tried_once_more_and_no_more() {
    let (service, mut calls) = start(ScoringConfig::default(), 1);
    let task = ask(&service, 1);
    for _ in 0..2 {
        calls
            .recv()
            .await
            .unwrap()
            .answer
            .send(Err(ScorerError::Ended("exit code 9".into())))
            .ok();
    }
    assert!(matches!(
        task.await.unwrap(),
        Err(ScoreError::WorkerDied { .. })
    ));
    let task = ask(&service, 2);
    calls
        .recv()
        .await
        .unwrap()
        .answer
        .send(Err(ScorerError::Ended("exit code 9".into())))
        .ok();
    echo(calls.recv().await.unwrap());
    assert_eq!(value(task.await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_call_ends_at_its_deadline_and_the_next_is_served() {
    let config = ScoringConfig {
        request_timeout: Duration::from_secs(2),
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let stuck = ask(&service, 1);
    let _held = calls.recv().await.unwrap();
    assert!(matches!(
        stuck.await.unwrap(),
        Err(ScoreError::TimedOut { .. })
    ));
    let next = ask(&service, 2);
    echo(calls.recv().await.unwrap());
    assert_eq!(value(next.await.unwrap()), 2);
}

#[tokio::test(start_paused = true)]
async fn work_whose_caller_has_gone_is_not_scored() {
    let (service, mut calls) = start(ScoringConfig::default(), 1);
    let first = ask(&service, 1);
    let busy = calls.recv().await.unwrap();
    let gone = ask(&service, 2);
    tokio::task::yield_now().await;
    gone.abort();
    let _aborted = gone.await;
    let last = ask(&service, 3);
    tokio::task::yield_now().await;
    echo(busy);
    assert_eq!(echo(calls.recv().await.unwrap()), [3]);
    value(first.await.unwrap());
    value(last.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn without_any_instance_the_cause_is_the_answer() {
    let (sender, _calls) = mpsc::unbounded_channel();
    let scorer = ByHand {
        calls: sender,
        lost: Some("no module named x".into()),
        end: Arc::default(),
    };
    let metrics = ScoringMetrics::register(&mut Registry::default());
    let service = ScoringService::start(ScoringConfig::default(), vec![scorer], metrics);
    let Err(ScoreError::Unavailable { cause }) = service.score(row(1)).await else {
        panic!()
    };
    assert!(cause.contains("no module named x"));
}

#[tokio::test(start_paused = true)]
async fn order_is_kept_across_slots() {
    let (service, mut calls) = start(ScoringConfig::default(), 2);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..6).map(|number| ask(&service, number)).collect();
    for _ in 0..6 {
        seen.lock().await.extend(echo(calls.recv().await.unwrap()));
    }
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(usize::from(value(task.await.unwrap())), number);
    }
    assert_eq!(*seen.lock().await, [0, 1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_gives_its_place_back_at_once() {
    let config = ScoringConfig {
        max_requests: 2,
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let first = ask(&service, 1);
    let busy = calls.recv().await.unwrap();
    let gone = ask(&service, 2);
    tokio::task::yield_now().await;
    assert!(matches!(
        service.score(row(3)).await,
        Err(ScoreError::Overloaded { .. })
    ));
    gone.abort();
    let _aborted = gone.await;
    tokio::task::yield_now().await;
    let next = ask(&service, 4);
    tokio::task::yield_now().await;
    assert!(!next.is_finished(), "its place was not given back");
    echo(busy);
    assert_eq!(echo(calls.recv().await.unwrap()), [4]);
    value(first.await.unwrap());
    value(next.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn one_slot_that_stays_lost_does_not_stop_the_others() {
    let (sender, mut calls) = mpsc::unbounded_channel();
    let slot = |lost: Option<&str>| ByHand {
        calls: sender.clone(),
        lost: lost.map(str::to_owned),
        end: Arc::default(),
    };
    let metrics = ScoringMetrics::register(&mut Registry::default());
    let scorers = vec![slot(Some("no module named x")), slot(None)];
    let service = ScoringService::start(ScoringConfig::default(), scorers, metrics);
    // The lost slot tells so again and again, while nothing is asked.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let task = ask(&service, 1);
    let call = tokio::time::timeout(Duration::from_secs(1), calls.recv()).await;
    echo(call.unwrap().unwrap());
    assert_eq!(value(task.await.unwrap()), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_breaks_a_shared_process_breaks_alone_the_second_time() {
    let config = ScoringConfig {
        merge: true,
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let blocker = ask(&service, 9);
    let busy = calls.recv().await.unwrap();
    let tasks: Vec<_> = [1, 13, 2]
        .into_iter()
        .map(|number| ask(&service, number))
        .collect();
    tokio::task::yield_now().await;
    echo(busy);
    value(blocker.await.unwrap());
    let ended = || Err(ScorerError::Ended("signal 11".into()));
    calls.recv().await.unwrap().answer.send(ended()).ok();
    assert_eq!(echo(calls.recv().await.unwrap()), [1]);
    calls.recv().await.unwrap().answer.send(ended()).ok();
    assert_eq!(echo(calls.recv().await.unwrap()), [2]);
    let answers: Vec<bool> = {
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap().is_ok());
        }
        answers
    };
    assert_eq!(answers, [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_call_does_not_hold_up_a_stop() {
    let config = ScoringConfig {
        request_timeout: Duration::from_secs(3600),
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let stuck = ask(&service, 1);
    let _held = calls.recv().await.unwrap();
    let since = Instant::now();
    assert_eq!(
        service.drain(Duration::from_secs(1)).await,
        Drained::Interrupted(1)
    );
    assert!(since.elapsed() < Duration::from_secs(10));
    assert!(matches!(
        stuck.await.unwrap(),
        Err(ScoreError::Unavailable { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn limits_beyond_measure_mean_no_limit() {
    let config = ScoringConfig {
        max_requests: usize::MAX,
        request_timeout: Duration::MAX,
        ..ScoringConfig::default()
    };
    let (service, mut calls) = start(config, 1);
    let task = ask(&service, 1);
    echo(calls.recv().await.unwrap());
    assert_eq!(value(task.await.unwrap()), 1);
    assert_eq!(service.drain(Duration::from_secs(1)).await, Drained::Clean);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_meets_the_end_of_an_idle_instance_is_not_lost() {
    let (sender, mut calls) = mpsc::unbounded_channel();
    let end = Arc::new(Notify::new());
    let scorer = ByHand {
        calls: sender,
        lost: None,
        end: end.clone(),
    };
    let metrics = ScoringMetrics::register(&mut Registry::default());
    let service = ScoringService::start(ScoringConfig::default(), vec![scorer], metrics);
    for round in 0..64 {
        // The slot has gone idle; then a request comes, and the instance ends before the slot has looked at either.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        let task = ask(&service, round);
        let end = end.clone();
        tokio::spawn(async move { end.notify_waiters() });
        let call = tokio::time::timeout(Duration::from_secs(1), calls.recv()).await;
        echo(
            call.expect("the request reaches the next instance")
                .unwrap(),
        );
        assert_eq!(value(task.await.unwrap()), round);
    }
}
