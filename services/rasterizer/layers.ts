/** A contour within the band being painted. */
export interface Layer {
  /** Ascending in paint order. */
  readonly object: number;
  /** The object's, or ERASED for a hole. */
  readonly label: number;
  /** First and last row that it may have pixels on. */
  readonly top: number;
  readonly bottom: number;
  /** Where its rows' offsets are, as in ContourRows. */
  readonly at: number;
}

/** The label of a hole's pixels while its object is put together. What was there before the object shows again through them. */
export const ERASED = -1;
