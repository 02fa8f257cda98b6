//! What a closing's timeline comes to, counted event by event.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cierre_kernel::event::EventType;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};

/// The counters of a closing's events, whatever page or filter somebody looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Events by type.
    pub por_tipo: BTreeMap<EventType, u64>,
    /// Users in the order of their first event.
    pub usuarios: Vec<String>,
}

impl Counters {
    /// Counts an event. The events come in the order of their chain.
    pub fn count(&mut self, event_type: EventType, user: &str) {
        *self.por_tipo.entry(event_type).or_default() += 1;
        if !self.usuarios.iter().any(|known| known == user) {
            self.usuarios.push(user.to_owned());
        }
    }

    /// As the timeline shows them.
    pub const fn resumen(&self) -> Resumen<'_> {
        Resumen(self)
    }
}

/// The `resumen` of a timeline. Its order is part of the answer, so it is to be written as it is and never by way of a sorted map.
#[derive(Clone, Copy, Debug)]
pub struct Resumen<'a>(&'a Counters);

impl Resumen<'_> {
    /// All events.
    pub fn total(&self) -> u64 {
        self.0.por_tipo.values().sum()
    }

    /// Types in falling count, then alphabetically.
    pub fn por_tipo(&self) -> Vec<(EventType, u64)> {
        let counted = self.0.por_tipo.iter().filter(|(_, count)| **count > 0);
        let mut types: Vec<(EventType, u64)> =
            counted.map(|(kind, count)| (*kind, *count)).collect();
        types.sort_by_key(|(kind, count)| (Reverse(*count), kind.as_str()));
        types
    }
}

impl Serialize for Resumen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Resumen", 3)?;
        members.serialize_field("total_eventos", &self.total())?;
        members.serialize_field("eventos_por_tipo", &InOrder(self.por_tipo()))?;
        members.serialize_field("usuarios_activos", &self.0.usuarios)?;
        members.end()
    }
}

struct InOrder(Vec<(EventType, u64)>);

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (kind, count) in &self.0 {
            map.serialize_entry(kind.as_str(), count)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_summary_reads_as_in_the_contract() {
        let mut counters = Counters::default();
        let of = [
            (EventType::Create, "juan.perez", 1),
            (EventType::Upload, "juan.perez", 3),
            (EventType::Upload, "maria.lopez", 2),
            (EventType::Process, "sistema", 4),
            (EventType::Generate, "juan.perez", 2),
        ];
        for (kind, user, times) in of {
            (0..times).for_each(|_| counters.count(kind, user));
        }
        assert_eq!(
            serde_json::to_string(&counters.resumen()).unwrap(),
            r#"{"total_eventos":12,"eventos_por_tipo":{"upload":5,"process":4,"generate":2,"create":1},"usuarios_activos":["juan.perez","maria.lopez","sistema"]}"#
        );
    }

    #[test]
    fn equal_counts_are_in_alphabetical_order() {
        let mut counters = Counters::default();
        for kind in [EventType::Upload, EventType::Create, EventType::Delete] {
            counters.count(kind, "ana");
        }
        let names: Vec<_> = counters
            .resumen()
            .por_tipo()
            .iter()
            .map(|(kind, _)| kind.as_str())
            .collect();
        assert_eq!(names, ["create", "delete", "upload"]);
    }

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_types(events in prop::collection::vec((0..10_usize, "[abc]"), 0..40)) {
            let mut counters = Counters::default();
            for (kind, user) in &events {
                counters.count(EventType::ALL[*kind], user);
            }
            let shown = counters.resumen();
            prop_assert_eq!(shown.total(), events.len() as u64);
            prop_assert_eq!(shown.por_tipo().iter().map(|(_, count)| count).sum::<u64>(), shown.total());
            let stored = serde_json::to_string(&counters).unwrap();
            prop_assert_eq!(serde_json::from_str::<Counters>(&stored).unwrap(), counters);
        }
    }
}
