// Builds everything the browser gets into the Python package. Run by `npm run build`, and by the wheel build.
//
//   web/sdk/src/*.ts            -> src/chatnation/plugins/sdk/static/        stable names (sdk.js is a public URL)
//   web/dashboard/src/*.ts|css  -> src/chatnation/plugins/dashboard/static/  hashed names and manifest.json
//   names of countries (CLDR)   -> the same folder, countries.txt
//   country database (npm)      -> src/chatnation/plugins/geoip/data/
//
// A target folder is built beside the old one and swapped in whole, so that a server reading it never sees half a build.
import { copyFile, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const WEB = dirname(fileURLToPath(import.meta.url));
const PLUGINS = resolve(WEB, "../src/chatnation/plugins");
const requireFromHere = createRequire(import.meta.url);

const SHARED = {
  absWorkingDir: WEB,
  bundle: true,
  minify: true,
  sourcemap: true,
  legalComments: "linked",
  logLevel: "warning",
};

const exists = (path) => stat(path).then(() => true, () => false);

/** Entry files directly inside `folder`; modules in its sub-folders are imported by these. */
async function entriesOf(folder, ...extensions) {
  if (!(await exists(folder))) return [];
  const names = await readdir(folder);
  return names
    .filter((name) => extensions.includes(extname(name)) && !name.endsWith(".d.ts") && !name.includes(".test."))
    .sort()
    .map((name) => join(folder, name));
}

function skip(what, folder) {
  console.log(`skipped  ${what}: ${relative(WEB, folder)} has no entry files`);
}

const packageFolder = (name) => dirname(requireFromHere.resolve(`${name}/package.json`));

/** Fill an empty folder next to `target` with `write`, then put it in the target's place. */
async function replaceFolder(target, write) {
  const fresh = `${target}.building-${process.pid}`;
  const old = `${target}.old-${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    await write(fresh);
    if (await exists(target)) await rename(target, old);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function buildSdk() {
  const source = join(WEB, "sdk/src");
  const entries = await entriesOf(source, ".ts");
  if (!entries.some((entry) => basename(entry) === "index.ts")) return skip("sdk", source);

  await replaceFolder(join(PLUGINS, "sdk/static"), async (outdir) => {
    const common = { ...SHARED, target: ["es2018"], legalComments: "none" };
    await esbuild.build({ ...common, entryPoints: [join(source, "index.ts")], format: "iife", outfile: join(outdir, "sdk.js") });
    await esbuild.build({ ...common, entryPoints: [join(source, "index.ts")], format: "esm", outfile: join(outdir, "sdk.mjs") });
    await copyFile(join(source, "sdk.d.ts"), join(outdir, "sdk.d.ts"));
    // Scripts that stand alone, such as the loader snippet.
    const alone = entries.filter((entry) => basename(entry).startsWith("loader"));
    if (alone.length) await esbuild.build({ ...common, entryPoints: alone, format: "iife", sourcemap: false, outdir });
    if (await exists(join(source, "sdk.d.ts"))) await copyFile(join(source, "sdk.d.ts"), join(outdir, "sdk.d.ts"));
    const size = gzipSync(await readFile(join(outdir, "sdk.js")), { level: 9 }).length;
    console.log(`built    sdk: sdk.js is ${size} bytes gzipped`);
  });
}

async function buildDashboard() {
  const source = join(WEB, "dashboard/src");
  const entries = await entriesOf(source, ".ts", ".css");
  if (!entries.length) return skip("dashboard", source);

  await replaceFolder(join(PLUGINS, "dashboard/static"), async (outdir) => {
    const result = await esbuild.build({
      ...SHARED,
      target: ["es2022"],
      entryPoints: entries,
      format: "esm",
      splitting: true,
      outdir,
      entryNames: "[name]-[hash]",
      chunkNames: "chunk-[hash]",
      assetNames: "[name]-[hash]",
      loader: { ".woff2": "file", ".woff": "empty", ".ttf": "empty", ".svg": "file", ".png": "file" },
      metafile: true,
    });
    await writeIcons(join(outdir, "icons.txt"));
    await writeCountries(join(outdir, "countries.txt"));
    for (const name of await entriesOf(source, ".svg")) await copyFile(name, join(outdir, basename(name)));
    await writeFile(join(outdir, "manifest.json"), JSON.stringify(manifestOf(result.metafile, outdir), null, 2) + "\n");
    console.log(`built    dashboard: ${entries.map((entry) => basename(entry)).join(", ")}`);
  });
}

/** Every outline icon on a line of its own, "name<tab>svg content"; pages are drawn with the few that they name. */
async function writeIcons(file) {
  const anIcon = requireFromHere.resolve("@tabler/icons/outline/home.svg"); // The package exports nothing but icons.
  const nodes = JSON.parse(await readFile(join(dirname(anIcon), "../../tabler-nodes-outline.json"), "utf8"));
  const attributes = (values) => Object.entries(values).map(([name, value]) => ` ${name}="${value}"`).join("");
  const lines = Object.entries(nodes).map(
    ([name, parts]) => `${name}\t${parts.map(([tag, values]) => `<${tag}${attributes(values)}/>`).join("")}\n`,
  );
  await writeFile(file, lines.join(""));
}

/** Every country on a line of its own, "code<tab>English name", from the CLDR that Node.js carries. */
async function writeCountries(file) {
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const letters = [...Array(26).keys()].map((number) => String.fromCharCode(65 + number));
  const codes = letters.flatMap((first) => letters.map((second) => first + second));
  const lines = codes.flatMap((code) => (names.of(code) && code !== "ZZ" ? [`${code}\t${names.of(code)}\n`] : []));
  await writeFile(file, lines.join(""));
}

/** {"app.js": "app-5XK2QW7E.js", ...}: the name a template asks for, and the file that holds it. */
function manifestOf(metafile, outdir) {
  const manifest = {};
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (!entryPoint || !/\.(js|css)$/.test(output)) continue;
    const name = basename(entryPoint).replace(/\.ts$/, ".js");
    manifest[name] = relative(outdir, resolve(WEB, output));
  }
  return Object.fromEntries(Object.entries(manifest).sort());
}

async function copyCountryDatabase() {
  if (!(await exists(join(PLUGINS, "geoip")))) return skip("country database", join(PLUGINS, "geoip"));
  const name = "@ip-location-db/geo-whois-asn-country-mmdb";
  const from = packageFolder(name);
  const { version } = requireFromHere(`${name}/package.json`);
  await replaceFolder(join(PLUGINS, "geoip/data"), async (outdir) => {
    await copyFile(join(from, "geo-whois-asn-country.mmdb"), join(outdir, "country.mmdb"));
    await copyFile(join(from, "NRO_LICENSE"), join(outdir, "NRO_LICENSE"));
    await writeFile(
      join(outdir, "NOTICE"),
      `country.mmdb is ${name} ${version}, published by its authors under CC0-1.0.\n` +
        "It is made from data of the Number Resource Organization (https://www.nro.net), licensed under\n" +
        "CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); see NRO_LICENSE.\n",
    );
  });
  console.log(`copied   country database ${version}`);
}

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const steps = { sdk: buildSdk, dashboard: buildDashboard, geoip: copyCountryDatabase };
for (const [name, build] of Object.entries(steps)) {
  if (!wanted.length || wanted.includes(name)) await build();
}
