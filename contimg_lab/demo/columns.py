"""Column listings of the pipeline's tables, in every layout and shape.

A column is a name and marks: ``$`` text, ``#`` integer, else real; ``*`` primary key, ``^``
unique, ``!`` not null, ``=`` default.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["INDEXES", "SECOND_SHAPES", "SPLIT", "SPLIT_OLD", "TOGETHER", "UNIFIED"]

UNIFIED: Mapping[str, str] = {
    "ms_index": (
        "path$* start_mjd end_mjd mid_mjd processed_at status$ stage$ stage_updated_at "
        "cal_applied#=0 imagename$ field_name$ pointing_ra_deg pointing_dec_deg ra_deg dec_deg "
        "group_id$ created_at!=@now"
    ),
    "images": (
        "id#* path$^! ms_path$! created_at! type$! format$=fits beam_major_arcsec "
        "beam_minor_arcsec beam_pa_deg noise_jy dynamic_range pbcor#=0 field_name$ "
        "center_ra_deg center_dec_deg imsize_x# imsize_y# cellsize_arcsec freq_ghz "
        "bandwidth_mhz integration_sec"
    ),
    "photometry": (
        "id#* source_id$ image_path$! ra_deg! dec_deg! nvss_flux_mjy peak_jyb peak_err_jyb "
        "measured_at snr mjd flux_jy flux_err_jy normalized_flux_jy normalized_flux_err_jy "
        "mosaic_path$ sep_from_center_deg local_rms rms_jy peak_flux_jy quality_flag$ flags#=0"
    ),
    "sources": (
        "id$* name$ ra_deg! dec_deg! catalog_match$ source_type$ first_detected_mjd "
        "last_detected_mjd detection_count#=0"
    ),
    "caltables": (
        "id#* set_name$! path$^! table_type$! order_index#! cal_field$ refant$ created_at! "
        "valid_start_mjd valid_end_mjd status$!=active notes$ source_ms_path$ solver_command$ "
        "solver_version$ solver_params$ quality_metrics$"
    ),
    "calibration_applied": (
        "id#* ms_path$! caltable_path$! applied_at! quality success#=1 error_message$"
    ),
    "calibration_monitoring": (
        "id#* calibrator_name$! ms_path$! observed_flux_jy! catalog_flux_jy! flux_ratio! "
        "frequency_ghz! mjd! timestamp_iso$ phase_rms_deg amp_rms flagged_fraction created_at! "
        "notes$"
    ),
    "calibrator_catalog": (
        "id#* name$^! ra_deg! dec_deg! flux_jy flux_freq_ghz dec_range_min dec_range_max "
        "source_catalog$ status$=active registered_at! registered_by$ code_20_cm$ notes$"
    ),
    "calibrator_transits": (
        "id#* calibrator_name$! transit_mjd! transit_iso$! has_data#!=0 group_id$ "
        "group_mid_iso$ delta_minutes pb_response dec_match#!=0 calculated_at! updated_at!"
    ),
    "hdf5_files": (
        "path$* filename$! group_id$! subband_code$! subband_num# timestamp_iso$ timestamp_mjd "
        "file_size_bytes# modified_time indexed_at! stored#=1 ra_deg dec_deg obs_date$ "
        "obs_time$"
    ),
    "pointing_history": "id#* timestamp_mjd! ra_deg! dec_deg! source$ recorded_at!",
    "storage_locations": (
        "id#* path$^! location_type$! size_bytes# created_at! last_checked status$=active"
    ),
    "alert_history": (
        "id#* alert_name$! severity$! message$! details$ triggered_at! resolved_at "
        "acknowledged_by$ acknowledged_at"
    ),
    "jobs": (
        "id#* type$! status$!=pending ms_path$! params$ logs$ artifacts$ created_at! started_at "
        "finished_at"
    ),
    "batch_jobs": (
        "id#* type$! created_at! status$! total_items#! completed_items#=0 failed_items#=0 params$"
    ),
    "batch_job_items": (
        "id#* batch_id#! ms_path$! job_id# status$! error$ started_at completed_at data_id$"
    ),
    "qa_artifacts": "id#* group_id$! name$! path$! created_at!",
    "image_qa": (
        "id#* ms_path$! job_id#! image_path$! rms_noise peak_flux dynamic_range beam_major "
        "beam_minor beam_pa num_sources# thumbnail_path$ overall_quality$ timestamp!"
    ),
    "calibration_qa": (
        "id#* ms_path$! job_id#! k_metrics$ bp_metrics$ g_metrics$ overall_quality$ flags_total "
        "timestamp! per_spw_stats$"
    ),
    "mosaics": (
        "id#* path$^! name$! created_at! start_mjd! end_mjd! integration_sec n_images# "
        "center_ra_deg center_dec_deg dec_min_deg dec_max_deg noise_jy effective_noise_jy "
        "beam_major_arcsec beam_minor_arcsec beam_pa_deg n_sources# thumbnail_path$ status$ "
        "method$ tiles$ output_path$ validation_issues$ metrics_path$"
    ),
    "mosaic_groups": (
        "group_id$* mosaic_id$ ms_paths$! calibration_ms_path$ bpcal_solved#=0 created_at! "
        "calibrated_at imaged_at mosaicked_at status$=pending"
    ),
    "regions": "id#* name$! type$! coordinates$! image_path$! created_at! created_by$ updated_at",
    "transient_candidates": (
        "id#* source_name$! ra_deg! dec_deg! detection_type$! flux_obs_mjy! flux_baseline_mjy "
        "flux_ratio significance_sigma! baseline_catalog$ detected_at! mosaic_id# "
        "classification$ variability_index last_updated! notes$ classified_by$ classified_at "
        "follow_up_status$"
    ),
    "transient_alerts": (
        "id#* candidate_id#! alert_level$! alert_message$! created_at! acknowledged#=0 "
        "acknowledged_at acknowledged_by$ follow_up_status$ notes$"
    ),
    "transient_lightcurves": (
        "id#* candidate_id#! mjd! flux_mjy! flux_err_mjy frequency_ghz! mosaic_id# measured_at!"
    ),
    "variability_stats": (
        "source_id$* ra_deg! dec_deg! nvss_flux_mjy n_obs#=0 mean_flux_mjy std_flux_mjy "
        "min_flux_mjy max_flux_mjy chi2_nu sigma_deviation last_measured_at last_mjd "
        "updated_at! eta_metric"
    ),
    "monitoring_sources": (
        "id#* source_id$^! name$ ra_deg! dec_deg! catalog$ priority$=normal n_detections#=0 "
        "mean_flux_jy std_flux_jy eta v_index chi_squared is_variable#=0 ese_candidate#=0 "
        "first_detected_at last_detected_at last_updated notes$"
    ),
    "ese_candidates": (
        "id#* source_id$! flagged_at! flagged_by$=auto significance! flag_type$! notes$ "
        "status$=active investigated_at dismissed_at"
    ),
    "astrometric_solutions": (
        "id#* mosaic_id#! reference_catalog$! n_matches#! ra_offset_mas! dec_offset_mas! "
        "ra_offset_err_mas! dec_offset_err_mas! rotation_deg scale_factor rms_residual_mas! "
        "applied#=0 computed_at! applied_at notes$"
    ),
    "astrometric_residuals": (
        "id#* solution_id#! source_ra_deg! source_dec_deg! reference_ra_deg! reference_dec_deg! "
        "ra_offset_mas! dec_offset_mas! separation_mas! source_flux_mjy reference_flux_mjy "
        "measured_at!"
    ),
    "vla_calibrators": (
        "id#* name$^! ra_deg! dec_deg! flux_jy flux_freq_ghz code_20_cm$ registered_at! notes$"
    ),
    "vla_flux_info": (
        "id#* vla_calibrator_id#! frequency_ghz! flux_jy! flux_uncertainty measurement_date$"
    ),
    "catalog_sources": (
        "id#* source_name$! ra_deg! dec_deg! flux_jy flux_freq_ghz spectral_index catalog$! "
        "catalog_id$ position_uncertainty_arcsec flux_uncertainty is_extended#=0 "
        "major_axis_arcsec minor_axis_arcsec position_angle_deg matched_to$ created_at! "
        "updated_at!"
    ),
    "skymodel_metadata": (
        "id#* field_id$! skymodel_path$! n_sources#! total_flux_jy created_at! created_by$ notes$"
    ),
    "bandpass_calibrators": (
        "id#* calibrator_name$^! ra_deg! dec_deg! dec_range_min dec_range_max source_catalog$ "
        "flux_jy registered_at! registered_by$ status$=active notes$"
    ),
    "gain_calibrators": (
        "id#* field_id$! source_name$! ra_deg! dec_deg! flux_jy catalog_source$ catalog_id$ "
        "created_at! skymodel_path$ notes$"
    ),
    "operation_metrics": "id#* operation$! duration_ms! success#! error$ recorded_at!",
}
"""Every table of the unified layout and its columns."""

TOGETHER: Mapping[str, str] = {
    "calibrator_transits": "calibrator_name,transit_mjd",
    "pointing_history": "timestamp_mjd,source",
    "qa_artifacts": "group_id,name",
    "vla_flux_info": "vla_calibrator_id,frequency_ghz",
    "catalog_sources": "catalog,catalog_id",
    "skymodel_metadata": "field_id,skymodel_path",
    "gain_calibrators": "field_id,source_name",
}
"""Columns that are unique only together."""

INDEXES: Mapping[str, str] = {
    "ms_index": "mid_mjd status stage group_id",
    "images": "ms_path type created_at",
    "photometry": "image_path source_id ra_deg,dec_deg mjd",
    "sources": "ra_deg,dec_deg catalog_match",
    "caltables": "set_name valid_start_mjd,valid_end_mjd status source_ms_path",
    "calibration_applied": "ms_path",
    "calibrator_catalog": "name dec_deg status",
    "calibrator_transits": "calibrator_name transit_mjd- has_data",
    "hdf5_files": "group_id timestamp_mjd stored ra_deg,dec_deg",
    "pointing_history": "timestamp_mjd",
    "storage_locations": "location_type status",
    "alert_history": "alert_name severity triggered_at",
    "jobs": "status created_at- ms_path",
    "batch_jobs": "status",
    "batch_job_items": "batch_id ms_path",
    "qa_artifacts": "group_id",
    "image_qa": "ms_path job_id",
    "calibration_qa": "ms_path job_id",
    "mosaics": "name status start_mjd,end_mjd",
    "mosaic_groups": "status mosaic_id",
    "regions": "image_path type name",
    "transient_candidates": "detection_type,significance_sigma- ra_deg,dec_deg detected_at-",
    "transient_alerts": "alert_level,created_at- acknowledged,created_at-",
    "transient_lightcurves": "candidate_id,mjd",
    "variability_stats": "chi2_nu sigma_deviation last_mjd eta_metric",
    "monitoring_sources": "source_id is_variable",
    "ese_candidates": "source_id status flagged_at",
    "astrometric_solutions": "mosaic_id,computed_at- applied,computed_at-",
    "astrometric_residuals": "solution_id",
    "vla_calibrators": "ra_deg,dec_deg name",
    "vla_flux_info": "vla_calibrator_id",
    "catalog_sources": "ra_deg,dec_deg source_name catalog",
    "skymodel_metadata": "field_id",
    "bandpass_calibrators": "dec_range_min,dec_range_max status calibrator_name",
    "gain_calibrators": "field_id",
    "operation_metrics": "operation recorded_at success",
}
"""Indexes of the unified layout: one a word, ``-`` descending."""

SECOND_SHAPES: Mapping[str, str] = {
    "pointing_history": "timestamp* ra_deg dec_deg",
    "variability_stats": (
        "source_id$* ra_deg dec_deg nvss_flux_mjy mean_flux_mjy std_flux_mjy chi2_nu eta v "
        "sigma_deviation n_epochs# last_measured_at$ last_mjd updated_at$"
    ),
}
"""Tables that other sites know in another shape: times as MJD or as text, other names."""

SPLIT: Mapping[str, str] = {
    "ms_index": (
        "path$* start_mjd end_mjd mid_mjd processed_at status$ stage$ stage_updated_at "
        "cal_applied#=0 imagename$ ra_deg dec_deg pointing_ra_deg pointing_dec_deg"
    ),
    "images": "id#* path$! ms_path$! created_at! type$! beam_major_arcsec noise_jy pbcor#=0",
    "photometry": (
        "id#* source_id$ image_path$! ra_deg! dec_deg! nvss_flux_mjy peak_jyb! peak_err_jyb "
        "flux_jy flux_err_jy normalized_flux_jy normalized_flux_err_jy measured_at! mjd "
        "mosaic_path$"
    ),
    "batch_jobs": UNIFIED["batch_jobs"],
    "batch_job_items": UNIFIED["batch_job_items"],
    "calibration_qa": UNIFIED["calibration_qa"],
    "image_qa": UNIFIED["image_qa"],
}
"""The products file of the split layout, after its upgrade."""

SPLIT_OLD: Mapping[str, str] = {
    **SPLIT,
    "ms_index": (
        "path$* start_mjd end_mjd mid_mjd processed_at status$ stage$ stage_updated_at "
        "cal_applied#=0 imagename$"
    ),
    "photometry": (
        "id#* source_id$ image_path$! ra_deg! dec_deg! nvss_flux_mjy peak_jyb! peak_err_jyb "
        "measured_at!"
    ),
}
"""The products file before the upgrade."""
