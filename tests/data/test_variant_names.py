from __future__ import annotations

import pytest

from geno_hpo.data.variant_names import Variant, parse_variant
from geno_hpo.errors import DataError


@pytest.mark.parametrize(
    ("name", "kind", "position", "reference", "allele"),
    [
        ("SNP_CN_2155168_C944G_S315T_katG", "snp", 2155167, "C", "G"),
        ("SNP_CN_1673446_GC_fabG1_A3P", "snp", 1673445, "G", "C"),
        ("SNP_P_1673303_CA.137_fabG1-inhA", "snp", 1673302, "C", "A"),
        ("SNP_P_1673425_C15T_promoter_fabG1-inhA", "snp", 1673424, "C", "T"),
        ("SNP_CN_2155167_GC945-944AG_S315-315T_katG", "snp", 2155166, "GC", "AG"),
        ("SNP_CN_410190_GCCT_iniB_A277", "snp", 410189, "GC", "CT"),
        ("SNP_CZ_2101651_C1392T_*464*_ndh", "snp", 2101650, "C", "T"),
        ("SNP_I_2713795_CAGCTGC329-323TAGCTGG_inter_x", "snp", 2713794, "CAGCTGC", "TAGCTGG"),
        ("DEL_CF_2155741_d371C_124_katG", "del", 2155740, "C", ""),
        ("DEL_I_1471800_TATT.46_murA-rrs", "del", 1471799, "TATT", ""),
        ("INS_CF_1673444_i4C_2_fabG1", "ins", 1673443, "", "C"),
        ("INS_I_1674192_AAG.10_fabG1-inhA", "ins", 1674191, "", "AAG"),
        ("INS_P_1673358_i.82-73TGG_promoter_fabG1-inhA", "ins", 1673357, "", "TGG"),
        ("INS_P_5118_i.5--12ACA_promoter_gyrB-gyrA", "ins", 5117, "", "ACA"),
    ],
)
def test_every_form(name: str, kind: str, position: int, reference: str, allele: str) -> None:
    variant = parse_variant(name)
    assert variant == Variant(name, kind, position, reference, allele)  # type: ignore[arg-type]
    assert variant.stop == position + len(reference)


@pytest.mark.parametrize("name", ["katG_C_snp", "oxyR'_F_indel", "", "ahpC-ahpD_NC_snp"])
def test_summaries_are_no_variants(name: str) -> None:
    assert parse_variant(name) is None


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("SNP_CN_x_C944G_S315T_katG", r"got 'SNP_CN_x.*cannot be read"),
        ("SNP_CN_2155168_C944_katG", r"change 'C944' .* no form of SNP"),
        ("SNP_CN_2155168_CGT944A_katG", "as many letters as it brings, got CGT → A"),
        ("DEL_CF_2155741_i371C_katG", r"change 'i371C' .* no form of DEL"),
        ("INS_CF_2155741_iN_katG", r"change 'iN' .* no form of INS"),
    ],
)
def test_what_is_refused(name: str, match: str) -> None:
    with pytest.raises(DataError, match=match):
        parse_variant(name)
