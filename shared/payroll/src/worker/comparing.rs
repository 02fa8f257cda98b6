//! What the files in force come to: pure, and long enough to take a processor for itself.

use std::collections::{BTreeMap, BTreeSet};

use cierre_kernel::id::CierreId;
use cierre_platform::Failure;
use cierre_platform::pack::each_row;

use super::jobs::{Ended, MAX_FOUND};
use crate::amount::Pesos;
use crate::entity::cierre::{FoundDiscrepancias, FoundIncidencias};
use crate::entity::discrepancia::Discrepancia;
use crate::entity::incidencia::Incidencia;
use crate::kind::Kind;
use crate::lre::Code;
use crate::registro::Registro;
use crate::review::Merged;
use crate::rules::discrepancies::{Comparison, DiscrepanciaHallada, Severidad, TipoDiscrepancia};
use crate::rules::incidencias::{
    Explanations, IncidenciaHallada, Prioridad, Resumen, Umbrales, compare, compared,
};
use crate::rules::merge::EstadoDiscrepancia;
use crate::rules::place::Source;
use crate::rules::sums::Sums;

/// A file in force.
pub(super) struct InForce {
    pub(super) source: Source,
    pub(super) rows: Vec<u8>,
}

/// The files in force, by kind.
pub(super) type Files = BTreeMap<Kind, InForce>;

type Take = fn(&mut Comparison, &Registro);

/// The discrepancies, and the kinds that had not the files they need.
pub(super) type Compared = (Vec<DiscrepanciaHallada>, BTreeSet<TipoDiscrepancia>);

/// Compares the files with each other, and the book with itself.
pub(super) fn find_discrepancies(
    cierre: CierreId,
    tolerance: u32,
    files: Files,
) -> Result<Compared, Ended> {
    let mut rows = BTreeMap::new();
    let mut sources = BTreeMap::new();
    for (kind, file) in files {
        rows.insert(kind, file.rows);
        sources.insert(kind, file.source);
    }
    let mut comparison = Comparison::new(cierre, tolerance, sources);
    let others: [(Kind, Take); 5] = [
        (Kind::Novedades, Comparison::novedad),
        (Kind::MovimientosMes, Comparison::movimiento),
        (Kind::Ingresos, Comparison::ingreso),
        (Kind::Finiquitos, Comparison::finiquito),
        (Kind::Ausentismos, Comparison::ausentismo),
    ];
    for (kind, take) in others {
        if let Some(pack) = rows.remove(&kind) {
            each_row(&pack, |row: Registro| {
                take(&mut comparison, &row);
                Ok(())
            })?;
        }
    }
    let mut found = Vec::new();
    let mut book = comparison.into_book();
    if let Some(pack) = rows.remove(&Kind::LibroRemuneraciones) {
        each_row(&pack, |row: Registro| {
            // What is beyond the limit is not kept: one more tells that there is too much.
            if found.len() <= MAX_FOUND {
                book.row(&row, &mut found);
            }
            Ok(())
        })?;
    }
    let no_evaluadas = book.finish(&mut found);
    if found.len() > MAX_FOUND {
        return Err(Ended::TooMany);
    }
    Ok((found, no_evaluadas))
}

/// Compares the book with a former one.
pub(super) fn find_incidences(
    cierre: CierreId,
    former: &[u8],
    files: &Files,
    thresholds: &Umbrales,
) -> Result<Vec<IncidenciaHallada>, Ended> {
    let mut explanations = Explanations::default();
    let mut now = Sums::new(compared);
    for (kind, file) in files {
        each_row(&file.rows, |row: Registro| {
            match kind {
                Kind::LibroRemuneraciones => now.add(&row),
                Kind::MovimientosMes => explanations.movimiento(&row),
                Kind::Ingresos => explanations.ingreso(&row),
                Kind::Finiquitos => explanations.finiquito(&row),
                Kind::IncidenciasExternas => explanations.externa(file.source.archivo_id, &row),
                Kind::Ausentismos | Kind::Novedades => {}
            }
            Ok(())
        })?;
    }
    let before = sums(former, compared)?;
    let found: Vec<_> = compare(cierre, &before, &now, thresholds, &explanations)
        .take(MAX_FOUND + 1)
        .collect();
    if found.len() > MAX_FOUND {
        return Err(Ended::TooMany);
    }
    Ok(found)
}

/// The amounts of a book, a pack of its rows.
pub(crate) fn sums(book: &[u8], wanted: fn(Code) -> bool) -> Result<Sums, Failure> {
    let mut sums = Sums::new(wanted);
    each_row(book, |row: Registro| {
        sums.add(&row);
        Ok(())
    })?;
    Ok(sums)
}

/// What a generation of discrepancies comes to, but for what it could not evaluate.
pub(super) fn count_discrepancias(merged: &Merged<Discrepancia>) -> FoundDiscrepancias {
    let mut counted = FoundDiscrepancias {
        corregidas: merged.gone,
        ..FoundDiscrepancias::default()
    };
    for one in &merged.all {
        match one.life.estado {
            EstadoDiscrepancia::Corregida => continue,
            EstadoDiscrepancia::Justificada => {}
            EstadoDiscrepancia::Abierta => {
                counted.abiertas += 1;
                if one.found.severidad == Severidad::Bloqueante {
                    counted.bloqueantes += 1;
                }
            }
        }
        *counted.tipos.entry(one.found.tipo).or_default() += 1;
    }
    counted
}

/// Those that forbid the export, whether somebody justified them or not.
pub(super) fn count_no_exportables(all: &[Discrepancia]) -> u64 {
    let forbid = all.iter().filter(|one| {
        let stands = one.life.estado != EstadoDiscrepancia::Corregida;
        let blocks = one.found.severidad == Severidad::Bloqueante;
        let kind = match one.found.tipo {
            TipoDiscrepancia::RutDuplicado
            | TipoDiscrepancia::FormatoInvalido
            | TipoDiscrepancia::IdentidadLre => true,
            TipoDiscrepancia::SueldoCero
            | TipoDiscrepancia::EmpleadoSoloLibro
            | TipoDiscrepancia::EmpleadoSoloNovedades
            | TipoDiscrepancia::DiffConceptoMonto
            | TipoDiscrepancia::IngresoNoReportado
            | TipoDiscrepancia::FiniquitoNoReportado
            | TipoDiscrepancia::AusenciaNoReportada => false,
        };
        stands && blocks && kind
    });
    forbid.count() as u64
}

/// What a generation of incidences comes to, but for what it was compared with.
pub(super) fn count_incidencias(
    found: &[IncidenciaHallada],
    all: &[Incidencia],
) -> FoundIncidencias {
    let mut resumen = Resumen::default();
    for one in found {
        resumen.add(one);
    }
    let open = || all.iter().filter(|one| one.life.estado.is_open());
    let critical = open().filter(|one| one.found.prioridad == Prioridad::Critica);
    FoundIncidencias {
        total: resumen.total,
        empleados: resumen.empleados.len() as u64,
        conceptos: resumen.conceptos,
        monto_total: Pesos::saturating(u64::try_from(resumen.monto).unwrap_or(u64::MAX)),
        abiertas: open().count() as u64,
        criticas: critical.count() as u64,
        base_comparacion: None,
    }
}
