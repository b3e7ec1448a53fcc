//! The ends of a worker: by itself, at a deadline, with its parent; and the models that never begin.

use std::process::{Command, Stdio};
use std::time::Duration;

use sluis_mlflow::Answer;
use sluis_worker::{CallError, Guardian, Instance, InstanceState, StartError, Warmed, Worker};
use tokio::time::{Instant, timeout};

use crate::support::{LONG, Pipe, act, config};

/// In the environment of the test that is a parent: where its worker's pipe is.
const PARENT: &str = "SLUIS_TEST_PARENT_PIPE";

async fn pid(instance: &mut Instance) -> i64 {
    let answer = instance
        .call(&act("pid"), Instant::now() + LONG)
        .await
        .unwrap();
    let Answer::Dense(block) = answer else {
        panic!()
    };
    i64::from_le_bytes(block.bytes.as_ref().try_into().unwrap())
}

#[tokio::test]
async fn an_instance_starts_a_worker_again_that_ended_or_was_stuck() {
    let (data, config) = config("probe");
    let mut instance = Instance::new(config, Guardian::start().unwrap(), Some(act("text")));
    let state = instance.state();
    assert_eq!(*state.borrow(), InstanceState::Down);
    let (_, warmed) = instance.start().await.unwrap().unwrap();
    assert!(matches!(warmed, Warmed::Scored(_)), "{warmed:?}");
    assert_eq!(*state.borrow(), InstanceState::Ready);
    let first = pid(&mut instance).await;

    let error = instance
        .call(&act("exit"), Instant::now() + LONG)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("exit code 7"), "{error}");
    assert_eq!(*state.borrow(), InstanceState::Down);
    instance.ready().await.unwrap();
    let second = pid(&mut instance).await;
    assert_ne!(first, second);

    let mut pipe = Pipe::new(data.path());
    let stuck = act(&format!("spin:{}", pipe.path.display()));
    let error = instance
        .call(&stuck, Instant::now() + Duration::from_secs(3))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::TimedOut), "{error}");
    pipe.started().await;
    pipe.released().await;
    instance.ready().await.unwrap();

    let third = pid(&mut instance).await;
    assert!(
        Command::new("kill")
            .args(["-9", &third.to_string()])
            .status()
            .unwrap()
            .success()
    );
    timeout(LONG, instance.ended()).await.unwrap();
    instance.ready().await.unwrap();
    assert_eq!(instance.starts(), 4);
    instance.stop(LONG).await;
    assert_eq!(*state.borrow(), InstanceState::Down);
}

#[tokio::test]
async fn a_model_that_does_not_load_is_told_from_one_whose_package_is_missing() {
    let guardian = Guardian::start().unwrap();
    let (_data, config_of_broken) = config("broken");
    let (_more_data, config_of_lacking) = config("lacking");
    let (broken, lacking) = tokio::join!(
        Worker::start(&config_of_broken, &guardian),
        Worker::start(&config_of_lacking, &guardian)
    );
    let error = broken.err().unwrap();
    assert!(
        matches!(&error, StartError::Model { stage, .. } if stage == "load"),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("the weights are for another architecture"),
        "{error}"
    );
    assert!(!error.may_pass());
    let error = lacking.err().unwrap().to_string();
    assert!(
        error.contains("a_package_that_nobody_has") && error.contains("requirements"),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_outlives_a_parent_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut pipe = Pipe::new(folder.path());
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ends::the_parent_that_is_killed", "--nocapture"])
        .env(PARENT, &pipe.path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    pipe.started().await;
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The worker is stuck with the interpreter's lock, and its child never heard of us: the guardian ends both.
    pipe.released().await;
}

/// Not a test by itself: the other process of the test above.
#[tokio::test]
async fn the_parent_that_is_killed() {
    let Ok(pipe) = std::env::var(PARENT) else {
        return;
    };
    let (_data, config) = config("probe");
    let (mut worker, _) = Worker::start(&config, &Guardian::start().unwrap())
        .await
        .unwrap();
    let answer = worker
        .call(&act(&format!("spin:{pipe}")), Instant::now() + LONG)
        .await;
    panic!("it should be dead by now, not see {answer:?}");
}
