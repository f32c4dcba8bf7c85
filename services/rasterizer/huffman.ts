/** Prefix codes as RFC 1951 wants them (section 3.2). */

/**
 * Code lengths for symbols of these frequencies, none longer than `limit`; 0 for symbols that do not occur. The code is always complete: when
 * fewer than two symbols occur, the lowest others get a code too, for decoders refuse half a tree.
 * @param limit at most 15; 2^limit must not be less than the number of symbols
 */
export function codeLengths(frequencies: Uint32Array, limit: number): Uint8Array {
  const used: number[] = [];
  for (let symbol = 0; symbol < frequencies.length; symbol++) if (frequencies[symbol] !== 0) used.push(symbol);
  for (let symbol = 0; used.length < 2; symbol++) if (frequencies[symbol] === 0) used.push(symbol);
  let weights = new Float64Array(used.length);
  for (let index = 0; index < used.length; index++) weights[index] = Math.max(1, frequencies[used[index] as number] as number);
  let depths = treeDepths(weights);
  // Halving the weights makes them more alike and the tree flatter; when all are 1 it is as flat as can be.
  while (depths.some((depth) => depth > limit)) {
    weights = weights.map((weight) => Math.ceil(weight / 2));
    depths = treeDepths(weights);
  }
  const lengths = new Uint8Array(frequencies.length);
  used.forEach((symbol, index) => {
    lengths[symbol] = depths[index] as number;
  });
  return lengths;
}

/** Weights stay below 2^40, so weight and position fit into one double, which the native sort takes without calling back. */
const POSITIONS = 512;

/** Depths of the leaves in Huffman's tree over at least two weights; the same weights always give the same tree. */
function treeDepths(weights: Float64Array): Uint8Array {
  const leaves = weights.length;
  const order = weights.map((weight, position) => weight * POSITIONS + position).sort();
  const nodes = 2 * leaves - 1;
  const weight = new Float64Array(nodes);
  const parent = new Uint16Array(nodes);
  for (let leaf = 0; leaf < leaves; leaf++) weight[leaf] = Math.floor((order[leaf] as number) / POSITIONS);
  // Leaves and inner nodes both come up in ascending weight, so two queues in one array suffice.
  let leaf = 0;
  let inner = leaves;
  for (let node = leaves; node < nodes; node++) {
    for (let child = 0; child < 2; child++) {
      const takeLeaf = leaf < leaves && (inner === node || (weight[leaf] as number) <= (weight[inner] as number));
      const taken = takeLeaf ? leaf++ : inner++;
      weight[node] = (weight[node] as number) + (weight[taken] as number);
      parent[taken] = node;
    }
  }
  const depth = new Uint8Array(nodes);
  for (let node = nodes - 2; node >= 0; node--) depth[node] = (depth[parent[node] as number] as number) + 1;
  const depths = new Uint8Array(leaves);
  for (let leaf = 0; leaf < leaves; leaf++) depths[(order[leaf] as number) % POSITIONS] = depth[leaf] as number;
  return depths;
}

/**
 * The canonical codes of these lengths (RFC 1951 section 3.2.2), bits reversed: a code is packed into the stream starting with its most
 * significant bit, everything else starting with its least (section 3.1.1).
 */
export function canonicalCodes(lengths: Uint8Array): Uint16Array {
  const perLength = new Uint16Array(17);
  for (const length of lengths) if (length > 0) perLength[length + 1] = (perLength[length + 1] as number) + 1;
  const next = new Uint16Array(17);
  for (let length = 1; length <= 15; length++) next[length] = ((next[length - 1] as number) + (perLength[length] as number)) << 1;
  const codes = new Uint16Array(lengths.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol] as number;
    if (length === 0) continue;
    codes[symbol] = reverse(next[length] as number, length);
    next[length] = (next[length] as number) + 1;
  }
  return codes;
}

function reverse(code: number, length: number): number {
  let reversed = 0;
  for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
  return reversed;
}
