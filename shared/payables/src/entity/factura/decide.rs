//! Who decides on a factura, and what a decision does.

use cierre_kernel::codes::{self, Code};
use cierre_kernel::role::{Role, Roles};
use cierre_kernel::time::Instant;

use super::super::events::{Entry, PayablesEvent, Resolucion};
use super::super::politica::Politica;
use super::super::refusal::{FacturaRefusal, Invalid};
use super::super::workflow::{Accion, Calidad, Decision, MAX_ROUNDS, Workflow};
use super::super::{Change, Stamp};
use super::{Comando, Expediente, Factura, Sigue};
use crate::persona::{Persona, Usuario, is_reserved, only_looks_on};
use crate::rules::sincronizacion::Estado;
use crate::texto::{COMENTARIO, MOTIVO, sized};

/// Somebody who gives a command on a factura.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decisor {
    /// Who and when.
    pub stamp: Stamp,
    /// Their roles.
    pub roles: Roles,
    /// Whether the responsable has delegated to them today: see [`crate::entity::delegacion::is_delegate`].
    pub delegado: bool,
}

/// What somebody wants to do with a factura, its words judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voto {
    /// To approve it.
    Aprobar {
        /// What is said with it.
        comentario: Option<String>,
    },
    /// To reject it.
    Rechazar {
        /// Why.
        motivo: String,
        /// What is said with it.
        comentario: Option<String>,
    },
}

impl Voto {
    /// An approval.
    ///
    /// # Errors
    /// [`Invalid`]: the comment is too long.
    pub fn aprobar(comentario: Option<&str>) -> Result<Self, Invalid> {
        Ok(Self::Aprobar {
            comentario: comment(comentario)?,
        })
    }

    /// A rejection.
    ///
    /// # Errors
    /// [`Invalid`]: the reason is missing, too short or too long, or the comment too long.
    pub fn rechazar(motivo: &str, comentario: Option<&str>) -> Result<Self, Invalid> {
        match (reason(motivo), comment(comentario)) {
            (Ok(motivo), Ok(comentario)) => Ok(Self::Rechazar { motivo, comentario }),
            (Err(Invalid(mut errors)), Err(Invalid(more))) => {
                errors.extend(more);
                Err(Invalid(errors))
            }
            (Err(invalid), Ok(_)) | (Ok(_), Err(invalid)) => Err(invalid),
        }
    }

    /// What it does.
    #[must_use]
    pub const fn accion(&self) -> Accion {
        match self {
            Self::Aprobar { .. } => Accion::Aprobar,
            Self::Rechazar { .. } => Accion::Rechazar,
        }
    }
}

/// Reads a reason.
///
/// # Errors
/// [`Invalid`] with `motivo_requerido`.
pub fn reason(motivo: &str) -> Result<String, Invalid> {
    let detail = "must have 3 to 1000 characters";
    sized(motivo, &MOTIVO).ok_or_else(|| Invalid::field("/motivo", codes::MOTIVO_REQUERIDO, detail))
}

fn comment(comentario: Option<&str>) -> Result<Option<String>, Invalid> {
    let text = comentario.map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > COMENTARIO => Err(Invalid::field(
            "/comentario",
            codes::OUT_OF_RANGE,
            "must have at most 1000 characters",
        )),
        text => Ok(text.map(str::to_owned)),
    }
}

/// The right by which somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derecho {
    /// Which one.
    pub calidad: Calidad,
    /// The responsable, of a delegate.
    pub a_nombre_de: Option<Persona>,
    /// It holds in spite of segregation of duties.
    pub sod_excepcion: bool,
}

impl Expediente {
    /// Whether the caller may decide at all, and as what: first the right, then the name, then segregation of duties.
    ///
    /// # Errors
    /// [`FacturaRefusal`], all of which deny the decision to the caller.
    pub fn derecho(&self, caller: &Decisor) -> Result<Derecho, FacturaRefusal> {
        let factura = &self.factura;
        let user = &caller.stamp.by;
        let calidad = factura
            .calidad(caller)
            .ok_or(FacturaRefusal::NoAutorizado)?;
        if is_reserved(&user.nombre) {
            return Err(FacturaRefusal::NombreReservado);
        }
        let a_nombre_de = match calidad {
            Calidad::Delegado => factura.responsable().map(Usuario::persona),
            Calidad::Responsable | Calidad::Supervisor | Calidad::Admin | Calidad::Sistema => None,
        };
        let registered = |id: &str| factura.registrada_por.id.as_deref() == Some(id);
        let represented = a_nombre_de.as_ref().and_then(|one| one.id.as_deref());
        let violation = if registered(&user.id) {
            Some(FacturaRefusal::Registrador)
        } else if represented.is_some_and(registered) {
            Some(FacturaRefusal::DelegadoDelRegistrador)
        } else {
            None
        };
        // What the policy said when the round began: later versions do not touch a running round.
        match violation {
            Some(refusal) if !self.workflow.politica.permitir_autoaprobacion => Err(refusal),
            excused => Ok(Derecho {
                calidad,
                a_nombre_de,
                sod_excepcion: excused.is_some(),
            }),
        }
    }

    /// Takes a decision. Checks in the order of the contract: the words were judged before, then right, segregation, state.
    ///
    /// # Errors
    /// [`FacturaRefusal`].
    pub fn decidir(&self, voto: &Voto, caller: &Decisor) -> Result<Change<Self>, FacturaRefusal> {
        if self.factura.eliminada {
            return Err(FacturaRefusal::NoEncontrada);
        }
        let derecho = self.derecho(caller)?;
        let comando = match voto {
            Voto::Aprobar { .. } => Comando::Aprobar,
            Voto::Rechazar { .. } => Comando::Rechazar,
        };
        let _: Sigue = self.factura.allowed(comando)?;
        let stamp = &caller.stamp;
        let decision = |comentario: &Option<String>| Decision {
            accion: voto.accion(),
            por: stamp.by.persona(),
            calidad: derecho.calidad,
            a_nombre_de: derecho.a_nombre_de.clone(),
            fecha: stamp.at,
            comentario: comentario.clone(),
            sod_excepcion: derecho.sod_excepcion,
        };
        let mut workflow = self.workflow.clone();
        let motivo = match voto {
            Voto::Aprobar { comentario } => {
                let decision = decision(comentario);
                if let Some(known) = workflow.approved_before(&decision) {
                    return Err(FacturaRefusal::YaAprobo(known.nombre.clone()));
                }
                workflow.approve(decision);
                None
            }
            Voto::Rechazar { motivo, comentario } => {
                workflow.reject(decision(comentario), motivo.clone());
                Some(motivo.clone())
            }
        };
        let factura = self.factura.after(&workflow, stamp.at);
        let resolucion = Resolucion {
            estado_anterior: self.factura.estado(),
            calidad: derecho.calidad,
            motivo,
            comparacion: None,
            sod_excepcion: derecho.sod_excepcion,
        };
        let event = resolucion.event(&factura, &workflow);
        let events = vec![Entry::of(stamp, event)];
        Ok(Change::new(Self { factura, workflow }, events))
    }

    /// Begins another round, under the policy of now. The answered round is a new row; the former one stays as it is.
    ///
    /// # Errors
    /// [`FacturaRefusal`]: it is not decided, it had its 50 rounds, the reason is missing, or the caller's name is the system's.
    pub fn reabrir(
        &self,
        motivo: &str,
        politica: &Politica,
        stamp: &Stamp,
    ) -> Result<Change<Self>, FacturaRefusal> {
        let motivo = reason(motivo)?;
        if is_reserved(&stamp.by.nombre) {
            return Err(FacturaRefusal::NombreReservado);
        }
        let _: Sigue = self.factura.allowed(Comando::Reabrir)?;
        let ronda = self.workflow.ronda + 1;
        if ronda > MAX_ROUNDS {
            return Err(FacturaRefusal::LimiteDeRondas);
        }
        let instantanea = politica.snapshot(self.factura.datos.importe.0);
        let mut workflow = Workflow::begun(self.factura.id, ronda, stamp.at, instantanea);
        workflow.reabierta_por = Some(stamp.by.persona());
        workflow.motivo_reapertura = Some(motivo.clone());
        let factura = self.factura.after(&workflow, stamp.at);
        let event = PayablesEvent::FacturaReabierta {
            factura: factura.id,
            estado_anterior: self.factura.estado(),
            ronda,
            motivo,
        };
        let events = vec![Entry::of(stamp, event)];
        Ok(Change::new(Self { factura, workflow }, events))
    }

    /// As what the caller finds it in their inbox: as responsable or delegate, if a decision of theirs would be taken.
    #[must_use]
    pub fn turno(&self, caller: &Decisor) -> Option<Derecho> {
        let answers = self.factura.is_responsable(&caller.stamp.by) || caller.delegado;
        let voto = Voto::Aprobar { comentario: None };
        (answers && self.decidir(&voto, caller).is_ok())
            .then(|| self.derecho(caller).ok())
            .flatten()
    }
}

impl Workflow {
    /// Whoever of the people behind this approval stands behind an approval of the round already.
    fn approved_before<'a>(&self, decision: &'a Decision) -> Option<&'a Persona> {
        decision.people().find(|person| {
            self.approvals()
                .flat_map(Decision::people)
                .any(|known| known.id == person.id)
        })
    }
}

impl Factura {
    fn is_responsable(&self, user: &Usuario) -> bool {
        self.responsable
            .as_ref()
            .is_some_and(|one| one.id == user.id)
    }

    /// The first right that fits.
    fn calidad(&self, caller: &Decisor) -> Option<Calidad> {
        if only_looks_on(caller.roles) {
            None
        } else if self.is_responsable(&caller.stamp.by) {
            Some(Calidad::Responsable)
        } else if caller.roles.contains(Role::Supervisor) {
            Some(Calidad::Supervisor)
        } else if caller.roles.contains(Role::Admin) {
            Some(Calidad::Admin)
        } else if caller.delegado {
            Some(Calidad::Delegado)
        } else {
            None
        }
    }

    /// The same after something happened to its round.
    fn after(&self, workflow: &Workflow, now: Instant) -> Self {
        let mut next = self
            .synchronised(workflow)
            .unwrap_or_else(|| self.touched());
        next.ronda = workflow.ronda;
        match next.estado() {
            Estado::Aprobada | Estado::Rechazada => {
                next.tiempos.rondas += 1;
                next.tiempos.milisegundos += now.millis_since(workflow.inicio);
            }
            // A round approved by rule was no person's; the others are not at their end.
            Estado::AprobadaAuto | Estado::Pendiente | Estado::EnRevision => {}
        }
        next
    }

    /// Gives it somebody who answers for it, once and for all.
    ///
    /// # Errors
    /// [`FacturaRefusal`]: somebody does already, or it is deleted.
    pub fn asignar(
        &self,
        responsable: &Usuario,
        stamp: &Stamp,
    ) -> Result<Change<Self>, FacturaRefusal> {
        if self.eliminada {
            return Err(FacturaRefusal::NoEncontrada);
        }
        if self.responsable.is_some() {
            return Err(FacturaRefusal::ResponsableYaAsignado);
        }
        let mut next = self.touched();
        next.responsable = Some(responsable.clone());
        let event = PayablesEvent::ResponsableAsignado {
            factura: self.id,
            responsable: responsable.nombre.clone(),
        };
        Ok(Change::new(next, vec![Entry::of(stamp, event)]))
    }

    /// Deletes it, which frees its number. What is left is a tombstone with its events.
    ///
    /// # Errors
    /// [`FacturaRefusal`]: it is decided, has approvals, or is deleted.
    pub fn eliminar(&self, stamp: &Stamp) -> Result<Change<Self>, FacturaRefusal> {
        let _: Sigue = self.allowed(Comando::Eliminar)?;
        let mut next = self.touched();
        next.eliminada = true;
        let event = PayablesEvent::FacturaEliminada {
            factura: self.id,
            numero: self.datos.numero.clone(),
            nit: self.datos.nit,
            total: self.datos.importe,
        };
        Ok(Change::new(next, vec![Entry::of(stamp, event)]))
    }

    /// Somebody was denied a decision; told on its own, and moves the head alone.
    #[must_use]
    pub fn denegada(&self, accion: Accion, code: Code, stamp: &Stamp) -> Entry {
        let event = PayablesEvent::DecisionDenegada {
            factura: self.id,
            accion,
            code,
        };
        Entry::of(stamp, event)
    }

    /// Somebody read its history.
    #[must_use]
    pub fn historial_read(&self, stamp: &Stamp) -> Entry {
        Entry::of(
            stamp,
            PayablesEvent::HistorialConsultado { factura: self.id },
        )
    }
}
