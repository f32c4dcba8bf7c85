/** Rows and columns of a DICOM file, by the dicom-parser library: its only import. */
import dicomParser, { type DataSet } from "dicom-parser";
import type { Size } from "./size.js";

const ROWS = "x00280010";
const COLUMNS = "x00280011";

/** Undefined when these bytes do not tell it: they are too few, or wrong. Otherwise the size, or why there is none to be had. */
export function dicomSize(bytes: Uint8Array): Size | { readonly problem: string } | undefined {
  try {
    const dataSet = parse(bytes);
    const height = dataSet.uint16(ROWS);
    const width = dataSet.uint16(COLUMNS);
    if (width !== undefined && height !== undefined) return { width, height };
    // Elements come in ascending order (DICOM PS3.5 section 7.1).
    const isPast = Object.keys(dataSet.elements).some((tag) => tag > COLUMNS);
    return isPast ? { problem: "is a DICOM file without rows and columns, that is, without an image" } : undefined;
  } catch (error) {
    return error instanceof Deflated ? { problem: "is a DICOM file whose data set is deflated, which is not read" } : undefined;
  }
}

/** The data set itself is compressed, not only its pixels (DICOM PS3.5 section A.5): rare, and a way to make little become much. */
class Deflated extends Error {}

/** As far as the columns, or as far as the bytes go. */
function parse(bytes: Uint8Array): DataSet {
  const inflater = () => {
    throw new Deflated();
  };
  try {
    return dicomParser.parseDicom(bytes, { untilTag: COLUMNS, inflater });
  } catch (error) {
    // What the library throws when a data set breaks off.
    if (typeof error === "object" && error !== null && "dataSet" in error) return error.dataSet as DataSet;
    throw error;
  }
}
