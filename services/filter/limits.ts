/** What one asset may ask for at most; exports are not trusted. */
export interface FilterLimits {
  /** width x height of one mask. */
  readonly imagePixels: number;
  readonly pointsPerContour: number;
  /** Over all contours of all parts. */
  readonly pointsPerAsset: number;
  /** Pages, frames and v2 tasks of one asset. */
  readonly partsPerAsset: number;
  /** Whether sizes that the export does not tell are looked up in the images. */
  readonly readsImages: boolean;
}
