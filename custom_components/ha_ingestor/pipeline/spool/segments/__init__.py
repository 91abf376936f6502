"""The files that hold the points of the spool: frames in segments, appended, read and removed."""
