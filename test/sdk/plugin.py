"""An Export plugin as the vendor's own package has it, unmodified: says something at each level, reads the rows, gives an archive back.

Environment: PLUGIN_ID, PLUGIN_SECRET, HOST; CONNECTOR and PORT are read by the package itself.
"""

import os
from io import BytesIO

from imerit_ango.plugins import ExportPlugin, ExportResponse, run


def convert(data):
    logger = data["logger"]
    logger.debug("debug")
    logger.info("info")
    logger.warning("warning")
    rows = list(data["jsonExport"])
    if data["numTasks"] != len(rows):
        raise ValueError("numTasks is %d of %d" % (data["numTasks"], len(rows)))
    if '"fail"' in data.get("configJSON", ""):
        raise ValueError("as it was asked for")
    return ExportResponse(file=BytesIO(b"an archive of %d rows" % len(rows)), file_name="masks.zip")


host = os.environ["HOST"]
run(ExportPlugin(os.environ["PLUGIN_ID"], os.environ["PLUGIN_SECRET"], convert, host=host), host=host)
