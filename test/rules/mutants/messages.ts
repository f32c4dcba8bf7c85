import type { Mutant } from "../mutant.js";

const FILTER = "services/filter/filter-asset.ts";
const RENDER = "services/rasterizer/render-mask.ts";
const SPINE = "proto/pipeline.ts";
const LOOP = "services/runtime/step-loop.ts";
const SEVERAL = "test/pipeline/several.test.ts";
const TO_THE_END = "their sessions are spread over the packagers, and each message names its own gateway and packager to the end";

/** Rules 10 to 12. */
export const messageMutants: readonly Mutant[] = [
  {
    rule: 10,
    without: "the gateway's copy of round and epoch: each asset's first message names another round",
    changes: [
      {
        file: "services/gateway/publish-assets.ts",
        from: "{ ...round, index, part: 0, parts: 0 }",
        to: "{ ...round, round: round.round + index, index, part: 0, parts: 0 }",
      },
    ],
    noticedBy: [
      { file: "services/gateway/publish-assets.test.ts", title: "every row becomes a message whose id tells run, epoch, round and index" },
    ],
  },
  {
    rule: 10,
    without: "the filter's copy of the packager",
    changes: [
      {
        file: FILTER,
        from: "envelope: { ...envelope, part: at, parts: parts.length }",
        to: 'envelope: { ...envelope, packager: "p1", part: at, parts: parts.length }',
      },
    ],
    noticedBy: [
      { file: "services/filter/filter-asset.test.ts", title: "asks for one mask, with the envelope, identity, size and shapes" },
      { file: SEVERAL, title: TO_THE_END },
    ],
  },
  {
    rule: 10,
    without: "the filter's copy of the epoch, of an asset that is skipped",
    changes: [
      { file: FILTER, from: "return { ...envelope, part: 0, parts: 0 };", to: "return { ...envelope, epoch: 1, part: 0, parts: 0 };" },
    ],
    noticedBy: [{ file: SEVERAL, title: "a packager that falls silent loses its sessions to the other one" }],
  },
  {
    rule: 10,
    without: "the rasterizer's copy of the epoch",
    changes: [
      {
        file: RENDER,
        from: "AssetOutcome.encode({ envelope, asset, outcome })",
        to: "AssetOutcome.encode({ envelope: { ...envelope, epoch: 1 }, asset, outcome })",
      },
    ],
    noticedBy: [{ file: SEVERAL, title: "a packager that falls silent loses its sessions to the other one" }],
  },
  {
    rule: 10,
    without: "the rasterizer's copy of the part",
    changes: [
      {
        file: RENDER,
        from: "AssetOutcome.encode({ envelope, asset, outcome })",
        to: "AssetOutcome.encode({ envelope: { ...envelope, part: 0, parts: 1 }, asset, outcome })",
      },
    ],
    noticedBy: [{ file: "test/pipeline/sizes.test.ts", title: "are those of each page of a multi-image asset" }],
  },
  {
    rule: 11,
    without: "epoch and round in the ids",
    changes: [
      {
        file: SPINE,
        from: "return `${run}/${epoch}.${round}/${index}`;",
        to: "return `${run}/${epoch - epoch + 1}.${round - round}/${index}`;",
      },
    ],
    noticedBy: [
      { file: "services/gateway/publish-assets.test.ts", title: "every row becomes a message whose id tells run, epoch, round and index" },
      {
        file: "test/pipeline/published-again.test.ts",
        title: "when messages of each hop get lost: what is published again on purpose passes such a broker",
      },
    ],
  },
  {
    rule: 11,
    without: "the input's id in the output's",
    changes: [{ file: LOOP, from: "id: input.id + suffix,", to: "id: `${Math.random()}${suffix}`," }],
    noticedBy: [
      { file: "test/runtime/step-loop.test.ts", title: "publishes what the step returned under ids derived from the input, then acks" },
      { file: SEVERAL, title: TO_THE_END },
    ],
  },
  {
    rule: 11,
    without: "the part in the suffix: two parts of an asset have one id",
    changes: [{ file: SPINE, from: "part: (part: number) => `/p${part}`", to: "part: (part: number) => `/p${part - part}`" }],
    noticedBy: [
      { file: "test/pipeline/published-again.test.ts", title: "of a broker that drops repeats of an id: each message has one of its own" },
    ],
  },
  {
    rule: 12,
    without: "the filter's determinism",
    changes: [
      {
        file: FILTER,
        from: "      dropped: dropped.list(),\n",
        to: "      dropped: [...dropped.list(), { kind: String(Math.random()), count: 1 }],\n",
      },
    ],
    noticedBy: [{ file: "services/filter/filter-asset.test.ts", title: "gives the same bytes for the same row" }],
  },
  {
    rule: 12,
    without: "the rasterizer's determinism",
    changes: [
      {
        file: RENDER,
        from: "value: { width, height, png, sha256, pixels, dropped }",
        to: "value: { width, height, png, sha256, pixels: pixels.map((of) => ({ ...of, pixels: Math.floor(Math.random() * 1e6) })), dropped }",
      },
    ],
    noticedBy: [{ file: "services/rasterizer/render-mask.test.ts", title: "to the same bytes every time" }],
  },
  {
    rule: 12,
    without: "remembering a fetched size: a message that comes again may find another",
    changes: [{ file: "services/filter/image-sizes.ts", from: "    if (known) return known;\n", to: "" }],
    noticedBy: [
      { file: "services/filter/image-sizes.test.ts", title: "are read once a run, so that a message that comes again finds the same" },
    ],
  },
];
