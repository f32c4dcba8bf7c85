// Preloaded with --import: every Date of the process, its worker threads included, is MASKLINE_TEST_CLOCK_SHIFT milliseconds off.
const shift = Number(process.env.MASKLINE_TEST_CLOCK_SHIFT);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...values) {
    super(...(values.length === 0 ? [RealDate.now() + shift] : values));
  }
  static now() {
    return RealDate.now() + shift;
  }
};
