//! Where dropped objects meet what is known of their keys.
//!
//! One transaction writes what an object became, that it was seen, where its upload stands, and the events that tell it. What was seen of the key
//! guards it, so that each object has one outcome:
//!
//! ```text
//! t0  A  receives an event: nothing was seen of its key      B  receives the same event
//! t1  A  commits the factura, on condition that nothing was seen
//! t2                                                         B  commits on that condition: refused, nothing is written
//! t3                                                         B  looks again: the event was seen, nothing is to be done
//! ```
//!
//! Beside the last object of a key every content of it is marked: one that comes again has no effect, whatever came in between, and whatever
//! became of its factura.

use cierre_kernel::correlation::CorrelationId;
use cierre_kernel::id::FacturaId;
use cierre_platform::db::{Condition, Db, Item, Key, Loaded, Tx};
use cierre_platform::s3_events::Notice;
use cierre_platform::{Context, Failure, company, random};

use crate::entity::Change;
use crate::entity::carga::{
    Carga, Desenlace, Evento, Lugar, Rechazo, Visto, is_past, judge_event, read_key, received,
};
use crate::persona::Usuario;
use crate::repo::{doc, loaded_doc, put};
use crate::table;

/// Adds an upload with its events to the transaction, on condition that it stands as it was read.
pub(crate) fn put_carga(
    tx: &mut Tx,
    context: &Context,
    before: Option<&Carga>,
    change: Change<Carga>,
) -> Result<Carga, Failure> {
    let key = table::carga(&context.company, change.state.id);
    put(tx, context, key, before, change, |item, _| item)
}

/// The place of an object within a company: a key of the pattern.
#[derive(Clone, Debug)]
pub(crate) struct Sitio {
    clave: String,
    lugar: Lugar,
}

impl Sitio {
    /// Reads a key; none outside the pattern.
    pub(crate) fn of(clave: &str) -> Option<Self> {
        Some(Self {
            lugar: read_key(clave)?,
            clave: clave.to_owned(),
        })
    }

    /// The mark of a content.
    pub(crate) fn marca(&self, huella: &str) -> Key {
        table::visto(&self.lugar.company, &format!("{}#{huella}", self.clave))
    }

    /// What tells what is known of it.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let company = &self.lugar.company;
        let mut keys = vec![
            company::settings_key(company),
            table::visto(company, &self.clave),
        ];
        keys.extend(self.lugar.carga.map(|id| table::carga(company, id)));
        keys
    }

    /// Looks at what is known of it, and of a content of it, in one read.
    ///
    /// # Errors
    /// When DynamoDB does not answer.
    pub(crate) async fn look(
        &self,
        db: &Db,
        huella: Option<&str>,
    ) -> Result<Option<Buzon<'_>>, Failure> {
        let marca = huella.map(|huella| self.marca(huella));
        let loaded = db
            .load(self.keys().into_iter().chain(marca.clone()))
            .await?;
        let known = self.known(&loaded)?;
        Ok(known.map(|buzon| Buzon {
            marcado: marca.is_some_and(|marca| loaded.item(&marca).is_some()),
            ..buzon
        }))
    }

    /// What is known of it, among what was loaded; none where there is no such company: nobody has set it up, and nobody of it announced the
    /// object.
    pub(crate) fn known(&self, loaded: &Loaded) -> Result<Option<Buzon<'_>>, Failure> {
        let company = &self.lugar.company;
        let carga: Option<Carga> = match self.lugar.carga {
            Some(id) => loaded_doc(loaded, &table::carga(company, id))?,
            None => None,
        };
        let is_set_up = loaded.item(&company::settings_key(company)).is_some();
        if !is_set_up && carga.is_none() {
            return Ok(None);
        }
        Ok(Some(Buzon {
            sitio: self,
            carga,
            visto: loaded_doc(loaded, &table::visto(company, &self.clave))?,
            marcado: false,
        }))
    }
}

/// What an object became.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fin<'a> {
    /// A factura.
    Factura(FacturaId),
    /// None.
    Rechazo(&'a Rechazo),
}

/// What is known of a place.
#[derive(Clone, Debug)]
pub(crate) struct Buzon<'a> {
    /// The place.
    pub(crate) sitio: &'a Sitio,
    carga: Option<Carga>,
    visto: Option<Visto>,
    /// The content that was asked for came before.
    marcado: bool,
}

impl Buzon<'_> {
    /// Whether an event came before, or a later one of the key did: its object need not be read.
    pub(crate) fn is_past(&self, notice: &Notice) -> bool {
        let visto = self.visto.as_ref();
        visto.is_some_and(|visto| is_past(&notice.sequencer, &visto.sequencer))
    }

    /// Judges an event by its content.
    pub(crate) fn judge(&self, notice: &Notice, huella: &str) -> Evento {
        if self.marcado {
            Evento::Repetido
        } else {
            judge_event(self.visto.as_ref(), &notice.sequencer, huella)
        }
    }

    /// The upload that the object belongs to.
    pub(crate) fn carga(&self) -> Option<&Carga> {
        self.carga.as_ref()
    }

    /// Who registers what arrives: whoever announced it, or the system.
    pub(crate) fn registrador(&self) -> Usuario {
        let carga = self.carga.as_ref();
        carga.map_or_else(Usuario::sistema, |carga| carga.creada_por.clone())
    }

    /// The system at the event's time, under the correlation id of whoever announced the object.
    ///
    /// # Errors
    /// When there is no randomness for a correlation id.
    pub(crate) fn context(&self, notice: &Notice) -> Result<Context, Failure> {
        let now = notice.ocurrido_en;
        let correlation_id = match &self.carga {
            Some(carga) => carga.correlation_id.clone(),
            None => CorrelationId::from_ulid(random::ulid(now)?),
        };
        let company = self.sitio.lugar.company.clone();
        Ok(Context::system(company, correlation_id, now))
    }

    /// Adds to the transaction what an object became: the refusal if it is one, where its upload stands, what was seen, and the events. `huella`
    /// tells its content from others; an object without one may come again.
    ///
    /// # Errors
    /// When something cannot be written as JSON, or there is no randomness for the events' ids.
    pub(crate) fn settle(
        &self,
        tx: &mut Tx,
        context: &Context,
        notice: &Notice,
        huella: Option<&str>,
        fin: Fin<'_>,
    ) -> Result<(), Failure> {
        let by = self.registrador();
        let carga_id = self.carga.as_ref().map(|carga| carga.id);
        let mut events = vec![received(&notice.clave, carga_id, notice.tamano, &by)];
        let desenlace = match fin {
            Fin::Factura(id) => Desenlace::Factura(id),
            Fin::Rechazo(rechazo) => {
                events.push(rechazo.entry(&by));
                let key = table::rechazo(&context.company, rechazo.id);
                tx.put_item(key, doc(rechazo)?, Condition::absent());
                Desenlace::Rechazo(rechazo.id)
            }
        };
        // The events stand in the chain of the upload, or of the key where nobody announced the object.
        let of_key = match &self.carga {
            Some(carga) => {
                let change = Change::new(carga.settled(desenlace), events);
                put_carga(tx, context, Some(carga), change)?;
                Vec::new()
            }
            None => events,
        };
        let seen = Visto::after(
            self.visto.as_ref(),
            &notice.sequencer,
            huella.unwrap_or_default(),
            desenlace,
        );
        self.put_visto(tx, context, Change::new(seen, of_key))?;
        if let Some(huella) = huella {
            tx.put_item(self.sitio.marca(huella), Item::new(), Condition::absent());
        }
        Ok(())
    }

    /// Adds to the transaction that a content of the key came again. It has no effect, but objects before this one are overwritten.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn see_again(
        &self,
        tx: &mut Tx,
        context: &Context,
        notice: &Notice,
    ) -> Result<(), Failure> {
        if let Some(visto) = &self.visto {
            let change = Change::new(visto.again(&notice.sequencer), Vec::new());
            self.put_visto(tx, context, change)?;
        }
        Ok(())
    }

    fn put_visto(
        &self,
        tx: &mut Tx,
        context: &Context,
        change: Change<Visto>,
    ) -> Result<(), Failure> {
        let key = table::visto(&context.company, &self.sitio.clave);
        put(tx, context, key, self.visto.as_ref(), change, |item, _| {
            item
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cierre_kernel::id::{CargaId, RechazoIngresoId};
    use cierre_kernel::time::Instant;
    use ulid::Ulid;

    use super::*;
    use crate::entity::fixtures::{PEDRO, company, factura_id, stamp};
    use crate::ubl::Fallo;

    fn upload() -> Carga {
        let id = CargaId::new(Ulid(3));
        Carga::create(id, &company(), "a.xml", 10, &stamp(PEDRO, 0)).unwrap()
    }

    fn told(clave: &str, sequencer: &str) -> Notice {
        Notice {
            bucket: "b".into(),
            clave: clave.into(),
            version_id: None,
            etag: "e".into(),
            sequencer: sequencer.into(),
            tamano: 10,
            ocurrido_en: Instant::from_millis(1_770_000_000_000),
        }
    }

    fn written(buzon: &Buzon<'_>, huella: Option<&str>, fin: Fin<'_>) -> Vec<(String, String)> {
        let notice = told(&buzon.sitio.clave, "A2");
        let context = buzon.context(&notice).unwrap();
        let mut tx = Tx::new();
        buzon
            .settle(&mut tx, &context, &notice, huella, fin)
            .unwrap();
        tx.keys()
            .map(|key| (key.pk.clone(), key.sk.clone()))
            .collect()
    }

    fn place(key: Key) -> (String, String) {
        (key.pk, key.sk)
    }

    #[test]
    fn an_announced_object_moves_its_upload_and_is_seen() {
        let carga = upload();
        let sitio = Sitio::of(&carga.clave).unwrap();
        let buzon = Buzon {
            sitio: &sitio,
            carga: Some(carga.clone()),
            visto: None,
            marcado: false,
        };
        assert_eq!(buzon.registrador(), carga.creada_por);
        let keys = written(&buzon, Some("aa"), Fin::Factura(factura_id(1)));
        let chain = format!("{}#carga_factura#{}", company(), carga.id);
        for expected in [
            place(table::carga(&company(), carga.id)),
            place(table::visto(&company(), &carga.clave)),
            place(sitio.marca("aa")),
            (chain, "0000000001".to_owned()),
        ] {
            assert!(keys.contains(&expected), "{expected:?} in {keys:?}");
        }
        assert_eq!(keys.len(), 4);
    }

    #[test]
    fn a_refused_object_of_nobody_tells_it_in_the_chain_of_its_key() {
        let sitio = Sitio::of("facturas/demo/a b.xml").unwrap();
        let buzon = Buzon {
            sitio: &sitio,
            carga: None,
            visto: None,
            marcado: false,
        };
        assert_eq!(buzon.registrador(), Usuario::sistema());
        let id = RechazoIngresoId::new(Ulid(5));
        let at = Instant::from_millis(0);
        let rechazo = Rechazo::new(id, &sitio.clave, None, None, &Fallo::too_large(), at);
        let keys = written(&buzon, None, Fin::Rechazo(&rechazo));
        // The refusal, what was seen, and two events; an object that was not read leaves no mark of its content.
        assert_eq!(keys.len(), 4, "{keys:?}");
        let company = &sitio.lugar.company;
        assert!(keys.contains(&place(table::rechazo(company, id))));
        let chain = format!("{company}#carga_factura#{}", sitio.clave);
        assert_eq!(keys.iter().filter(|(pk, _)| *pk == chain).count(), 2);
    }

    #[test]
    fn an_event_of_an_object_that_was_seen_or_overwritten_is_past() {
        let sitio = Sitio::of("facturas/demo/a.xml").unwrap();
        let seen = Visto::after(None, "A2", "aa", Desenlace::Factura(factura_id(1)));
        let buzon = Buzon {
            sitio: &sitio,
            carga: None,
            visto: Some(seen),
            marcado: false,
        };
        let told = |sequencer| told(&sitio.clave, sequencer);
        assert!(buzon.is_past(&told("A2")) && buzon.is_past(&told("9F")));
        assert!(!buzon.is_past(&told("A3")));
        assert_eq!(buzon.judge(&told("A3"), "aa"), Evento::Repetido);
        assert_eq!(buzon.judge(&told("A3"), "bb"), Evento::Nuevo);
        let marked = Buzon {
            marcado: true,
            ..buzon
        };
        assert_eq!(marked.judge(&told("A3"), "bb"), Evento::Repetido);
    }
}
