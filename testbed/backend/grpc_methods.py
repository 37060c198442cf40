"""The names that clients and sample service share: paths of gRPC methods, and metadata of calls."""

from __future__ import annotations

SERVICE = "measurement.v1.MeasurementService"
GET_MEASUREMENT = f"/{SERVICE}/GetMeasurement"
WATCH_MEASUREMENTS = f"/{SERVICE}/WatchMeasurements"
UPLOAD_SCANS = f"/{SERVICE}/UploadScans"
CALIBRATE = f"/{SERVICE}/Calibrate"
METHODS = (GET_MEASUREMENT, WATCH_MEASUREMENTS, UPLOAD_SCANS, CALIBRATE)

SHAPE, MESSAGES, INTERVAL = "x-testbed-shape", "x-testbed-messages", "x-testbed-interval"
"""Metadata that describes a stream to `AnyMethod`; a backend of the user's own may ignore it."""
