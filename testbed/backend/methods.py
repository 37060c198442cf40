"""The names of the sample service's gRPC methods, as they stand in the `:path` of a call."""

from __future__ import annotations

SERVICE = "measurement.v1.MeasurementService"
GET_MEASUREMENT = f"/{SERVICE}/GetMeasurement"
WATCH_MEASUREMENTS = f"/{SERVICE}/WatchMeasurements"
UPLOAD_SCANS = f"/{SERVICE}/UploadScans"
CALIBRATE = f"/{SERVICE}/Calibrate"
