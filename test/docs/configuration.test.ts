import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { projectRoot } from "../project-root.js";
import { withConfigurationTable } from "./configuration-table.js";

describe("docs/configuration.md", () => {
  it("lists exactly the environment variables that the code declares (npm run docs writes the table)", () => {
    const page = readFileSync(join(projectRoot, "docs/configuration.md"), "utf8");
    assert.equal(page, withConfigurationTable(page));
  });
});
