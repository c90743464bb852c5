//! What holds for every drawing, on graphs made up at random.

use proptest::prelude::*;

use super::{Arc, Placed, Plan, place};

fn plan() -> impl Strategy<Value = Plan> {
    (1usize..24).prop_flat_map(|nodes| {
        let sizes = prop::collection::vec((20.0f64..200.0, 10.0f64..90.0), nodes);
        let arc = (0..nodes, 0..nodes, prop_oneof![Just((0.0, 0.0)), (10.0f64..80.0).prop_map(|width| (width, 14.0))], 0u8..3);
        let arcs = prop::collection::vec(arc.prop_map(|(from, to, label, class)| Arc { from, to, label, class }), 0..48);
        (sizes, arcs).prop_map(|(sizes, arcs)| Plan { sizes, arcs })
    })
}

/// Left, top, right, bottom of nodes and labels.
fn boxes(plan: &Plan, placed: &Placed) -> Vec<[f64; 4]> {
    let nodes = plan.sizes.iter().zip(&placed.nodes).map(|((width, height), (x, y))| [*x, *y, x + width, y + height]);
    let labels = plan.arcs.iter().zip(&placed.ways).filter_map(|(arc, way)| {
        let (x, y) = way.label?;
        Some([x - arc.label.0 / 2.0, y - arc.label.1 / 2.0, x + arc.label.0 / 2.0, y + arc.label.1 / 2.0])
    });
    nodes.chain(labels).collect()
}

proptest! {
    #[test]
    fn nodes_and_labels_do_not_overlap_and_lie_inside(plan in plan()) {
        let placed = place(&plan);
        let boxes = boxes(&plan, &placed);
        for (position, one) in boxes.iter().enumerate() {
            prop_assert!(one[0] >= -0.01 && one[1] >= -0.01 && one[2] <= placed.width + 0.01 && one[3] <= placed.height + 0.01, "{one:?} in {} x {}", placed.width, placed.height);
            for other in &boxes[position + 1..] {
                let apart = one[2] <= other[0] + 0.01 || other[2] <= one[0] + 0.01 || one[3] <= other[1] + 0.01 || other[3] <= one[1] + 0.01;
                prop_assert!(apart, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn every_edge_leads_down_but_those_that_lead_back(plan in plan()) {
        let placed = place(&plan);
        for (arc, way) in plan.arcs.iter().zip(&placed.ways) {
            if arc.from == arc.to {
                prop_assert!(way.stops.is_empty());
                continue;
            }
            let (from, to) = (placed.ranks[arc.from], placed.ranks[arc.to]);
            prop_assert_eq!(way.back, from > to);
            prop_assert_ne!(from, to);
            let down = |one: f64, other: f64| if way.back { other <= one + 0.01 } else { one <= other + 0.01 };
            prop_assert!(way.stops.iter().all(|stop| down(stop.from, stop.to)));
            prop_assert!(way.stops.windows(2).all(|pair| down(pair[0].to, pair[1].from)));
        }
    }

    #[test]
    fn edges_begin_and_end_at_their_nodes_and_pass_none(plan in plan()) {
        let placed = place(&plan);
        for (arc, way) in plan.arcs.iter().zip(&placed.ways) {
            let (Some(first), Some(last)) = (way.stops.first(), way.stops.last()) else { continue };
            for (node, x, y) in [(arc.from, first.x, first.from), (arc.to, last.x, last.to)] {
                let ((left, top), (width, height)) = (placed.nodes[node], plan.sizes[node]);
                prop_assert!(x >= left - 0.01 && x <= left + width + 0.01);
                prop_assert!((y - top).abs() < 0.01 || (y - top - height).abs() < 0.01);
            }
            for stop in &way.stops[1..way.stops.len() - 1] {
                let inside = |node: usize| {
                    let ((left, top), (width, height)) = (placed.nodes[node], plan.sizes[node]);
                    stop.x > left + 0.01 && stop.x < left + width - 0.01 && stop.from.min(stop.to) < top + height && stop.from.max(stop.to) > top
                };
                prop_assert!(!(0..plan.sizes.len()).any(inside));
            }
        }
    }

    #[test]
    fn only_cycles_have_edges_that_lead_back(plan in plan()) {
        let arcs: Vec<Arc> = plan.arcs.iter().copied().filter(|arc| arc.from < arc.to).collect();
        let plan = Plan { arcs, ..plan };
        prop_assert!(place(&plan).ways.iter().all(|way| !way.back));
    }

    #[test]
    fn the_same_plan_gives_the_same_drawing(plan in plan()) {
        prop_assert_eq!(format!("{:?}", place(&plan)), format!("{:?}", place(&plan)));
    }
}

#[test]
fn nothing_and_one_node_are_drawings() {
    assert_eq!(place(&Plan::default()).nodes, []);
    let one = place(&Plan { sizes: vec![(40.0, 20.0)], arcs: vec![] });
    assert_eq!((one.nodes, one.width, one.height), (vec![(0.0, 0.0)], 40.0, 20.0));
}

#[test]
fn a_chain_is_straight() {
    let arcs = (0..9).map(|node| Arc { from: node, to: node + 1, label: (20.0, 12.0), class: 0 }).collect();
    let sizes: Vec<(f64, f64)> = (0..10u8).map(|node| (60.0 + 10.0 * f64::from(node % 3), 30.0)).collect();
    let placed = place(&Plan { sizes: sizes.clone(), arcs });
    let middles: Vec<f64> = placed.nodes.iter().zip(&sizes).map(|((x, _), (width, _))| x + width / 2.0).collect();
    assert!(middles.iter().all(|middle| (middle - middles[0]).abs() < 0.01), "{middles:?}");
}

#[test]
fn a_thousand_nodes_are_placed() {
    let arcs: Vec<Arc> = (0..1_000usize)
        .flat_map(|node| [(node, node + 1), (node, 999), (node, node.saturating_sub(6))])
        .filter(|(_, to)| *to < 1_000)
        .map(|(from, to)| Arc { from, to, label: (30.0, 12.0), class: 0 })
        .collect();
    let placed = place(&Plan { sizes: vec![(100.0, 40.0); 1_000], arcs });
    assert_eq!(placed.nodes.len(), 1_000);
}
