//! Single steps in programs of their own: what they make of a column, and that broken ones are refused.

use serde_json::{Value, json};

use super::{File, answer, rows, survives_changed_bytes};
use crate::Program;

/// A program of the column `x`, steps behind it, and the last of them as the answer.
fn program(file: &File, steps: &[Value]) -> Vec<u8> {
    let mut all = vec![json!({"op": "columns", "from": [], "width": 1, "columns": [0]})];
    all.extend_from_slice(steps);
    let head = json!({
        "format": 1, "name": "Steps", "inputs": ["double"], "ulps": 0, "steps": all,
        "output": {"form": "values", "from": steps.len(), "vector": false, "dtype": "float64"},
    });
    file.finish(head)
}

fn answers(file: &File, steps: &[Value], values: &[f64]) -> Vec<f64> {
    answer(&Program::read(&program(file, steps)).unwrap(), values)
}

/// Three points at 0, 1 and 3 with the targets 10, 20 and 40.
fn neighbors(file: &mut File, targets: &[f64], change: &Value) -> Value {
    let mut step = json!({
        "op": "neighbors", "from": [0], "width": 1, "distance": "euclidean", "points": file.f64s(&[0.0, 1.0, 3.0]),
        "targets": file.f64s(targets), "count": 2, "by_distance": false, "classes": false, "expanded": false,
    });
    for (key, value) in change.as_object().unwrap() {
        step[key] = value.clone();
    }
    step
}

#[test]
fn neighbors_are_the_nearest_and_ties_are_left_to_python() {
    let targets = [10.0, 20.0, 40.0];
    let mut file = File::new();
    let step = neighbors(&mut file, &targets, &json!({}));
    assert_eq!(answers(&file, &[step], &[0.0, 2.5]), [15.0, 30.0]);
    let mut file = File::new();
    let step = neighbors(&mut file, &targets, &json!({"by_distance": true}));
    assert_eq!(answers(&file, &[step], &[0.0, 0.5]), [10.0, 15.0]);
    let mut file = File::new();
    let classes = json!({"classes": true, "width": 2, "count": 3});
    let step = neighbors(&mut file, &[0.0, 1.0, 1.0], &classes);
    let shares = answers(&file, &[step], &[0.0]);
    assert!((shares[0] - 1.0 / 3.0).abs() < 1e-15 && (shares[1] - 2.0 / 3.0).abs() < 1e-15);
    // At 1.5, the second neighbour is either of two.
    for (targets, declined) in [([10.0, 20.0, 40.0], true), ([10.0, 20.0, 10.0], false)] {
        let mut file = File::new();
        let step = neighbors(&mut file, &targets, &json!({}));
        let program = Program::read(&program(&file, &[step])).unwrap();
        assert_eq!(program.evaluate(&rows(&[1.5])).is_err(), declined);
        assert!(program.evaluate(&rows(&[f64::INFINITY])).is_err());
    }
}

#[test]
fn neighbors_that_contradict_themselves_are_refused() {
    for change in [
        json!({"count": 0}),
        json!({"count": 4}),
        json!({"width": 2}),
        json!({"classes": true}),
        json!({"points": 7}),
        json!({"from": [1]}),
    ] {
        let mut file = File::new();
        let step = neighbors(&mut file, &[10.0, 20.0, 40.0], &change);
        assert!(Program::read(&program(&file, &[step])).is_err());
    }
}

/// Two vectors, -1 and 1, and one output.
fn kernel(file: &mut File, kind: &str) -> Value {
    json!({
        "op": "kernel", "from": [0], "width": 1, "kind": kind, "gamma": 0.5, "coef0": 1.0, "degree": 3,
        "vectors": file.f64s(&[-1.0, 1.0]), "weights": file.f64s(&[0.0, 2.0]), "intercept": file.f64s(&[0.25]),
    })
}

#[test]
fn kernels_are_those_of_their_names() {
    for (kind, similarity) in [
        ("linear", 3.0),
        ("poly", 2.5_f64.powi(3)),
        ("rbf", (-2.0_f64).exp()),
        ("sigmoid", 2.5_f64.tanh()),
    ] {
        let mut file = File::new();
        let step = kernel(&mut file, kind);
        assert_eq!(answers(&file, &[step], &[3.0]), [2.0 * similarity + 0.25]);
    }
}

#[test]
fn couples_of_probabilities_sum_to_one_and_agree_with_their_scores() {
    let mut file = File::new();
    let spread = json!({
        "op": "linear", "from": [0], "width": 3, "weights": file.f64s(&[1.0, 2.0, 1.0]), "intercept": file.f64s(&[0.0; 3]),
    });
    let coupled = json!({
        "op": "coupling", "from": [1], "width": 3, "slopes": file.f64s(&[-1.0; 3]), "shifts": file.f64s(&[0.0; 3]),
    });
    let made = answers(&file, &[spread, coupled], &[0.0, 2.0]);
    assert_eq!(made[..3], [1.0 / 3.0; 3]);
    assert!((made[3..].iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(made[3] > made[4] && made[4] > made[5], "{made:?}");
}

#[test]
fn votes_duels_and_medians_count_as_they_should() {
    let mut file = File::new();
    let table = json!({"op": "table", "from": [0], "width": 3, "values": file.f64s(&[0.0, 1.0, 1.0, 1.0, 0.0, 0.0])});
    let duels = json!({"op": "duels", "from": [1], "width": 3});
    // Of the pairs (0, 1), (0, 2), (1, 2), the second won where there is a 1.
    let made = answers(&file, &[table.clone(), duels], &[0.0, 1.0]);
    assert_eq!(made, [1.0, 0.0, 2.0, 1.0, 2.0, 0.0].map(|votes: f64| votes));
    let median = json!({"op": "weighted_median", "from": [1], "width": 1, "weights": file.f64s(&[5.0, 1.0, 1.0])});
    assert_eq!(
        answers(&file, &[table.clone(), median], &[0.0, 1.0]),
        [0.0, 1.0]
    );
    let program = Program::read(&program(&file, &[table])).unwrap();
    for none in [2.0, -1.0, 0.5, f64::NAN, 1e300] {
        assert!(program.evaluate(&rows(&[none])).is_err(), "{none}");
    }
}

#[test]
fn steps_with_changed_bytes_never_break_the_reader() {
    let mut file = File::new();
    let table =
        json!({"op": "table", "from": [0], "width": 3, "values": file.f64s(&[0.0, 1.0, 1.0])});
    let duels = json!({"op": "duels", "from": [1, 1], "width": 3});
    survives_changed_bytes(&program(&file, &[table, duels]), 4000);
    let mut file = File::new();
    let step = kernel(&mut file, "poly");
    survives_changed_bytes(&program(&file, &[step]), 4000);
    let mut file = File::new();
    let step = neighbors(
        &mut file,
        &[0.0, 1.0, 1.0],
        &json!({"classes": true, "width": 2, "by_distance": true}),
    );
    survives_changed_bytes(&program(&file, &[step]), 4000);
    let mut file = File::new();
    let beside = json!({
        "op": "beside", "from": [0], "width": 1, "columns": [0], "ends": file.i64s(&[2]), "edges": file.f64s(&[0.0, 1.0]),
        "ulps": file.f64s(&[8.0]), "more": file.f64s(&[1.0]),
    });
    let lines = json!({
        "op": "interpolate", "from": [1], "width": 1, "ends": file.i64s(&[2]), "xs": file.f64s(&[0.0, 1.0]),
        "ys": file.f64s(&[2.0, 3.0]),
    });
    survives_changed_bytes(&program(&file, &[beside, lines]), 4000);
    let mut file = File::new();
    let gaussian = json!({
        "op": "gaussian", "from": [0], "width": 2, "means": file.f64s(&[0.0, 1.0]), "variances": file.f64s(&[1.0, 1.0]),
        "priors": file.f64s(&[0.0, 0.0]), "scales": file.f64s(&[0.0, 0.0]),
    });
    let coupled = json!({"op": "function", "from": [1], "width": 2, "name": "exp"});
    survives_changed_bytes(&program(&file, &[gaussian, coupled]), 4000);
}
