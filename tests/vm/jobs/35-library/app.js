// SPDX-License-Identifier: Apache-2.0
// An application: serves what a typical one does, and, asked for it, what an intruder would try through it.
"use strict";
const child = require("child_process");
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");
const zlib = require("zlib");
const { Worker, isMainThread, parentPort } = require("worker_threads");

// Hot enough to be compiled.
function sum(limit) {
	let total = 0;
	for (let i = 0; i < limit; i++)
		total = (total + i * 7) % 1000003;
	return total;
}

function inThread() {
	return new Promise((resolve, reject) => {
		const worker = new Worker(__filename);
		worker.on("message", resolve);
		worker.on("error", reject);
	});
}

async function work() {
	const directory = fs.mkdtempSync(path.join(os.tmpdir(), "app-"));
	const file = path.join(directory, "data");
	await fs.promises.writeFile(file, zlib.gzipSync(Buffer.alloc(100000, "x")));
	const unpacked = zlib.gunzipSync(await fs.promises.readFile(file));
	fs.rmSync(directory, { recursive: true });
	fs.writeFileSync("/data/last", new Date().toISOString());
	// (module (func (export "f") (result i32) i32.const 42))
	const wasm = Buffer.from("0061736d010000000105016000017f03020100070501016600000a06010400412a0b", "hex");
	const instance = await WebAssembly.instantiate(wasm);
	const key = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
	return {
		bytes: unpacked.length,
		sum: sum(3000000),
		thread: await inThread(),
		wasm: instance.instance.exports.f(),
		hash: crypto.scryptSync("secret", "salt", 16).length,
		key: key.publicKey.asymmetricKeyType,
	};
}

function outcome(act) {
	try {
		const done = act();
		return done && done.error ? done.error.code : "done";
	} catch (error) {
		return error.code;
	}
}

function intrude() {
	return [
		() => child.spawnSync("/bin/sh", ["-c", "true"]),
		() => child.spawnSync("/usr/bin/curl", ["--version"]),
		() => { fs.copyFileSync("/usr/bin/curl", "/tmp/node"); return child.spawnSync("/tmp/node", ["--version"]); },
		() => fs.openSync("/app/app.js", "r+"),
		() => fs.openSync("/usr/bin/perl", "r+"),
		() => fs.readFileSync("/etc/shadow"),
	].map(outcome);
}

if (isMainThread) {
	http.createServer(async (request, response) => {
		try {
			response.end(JSON.stringify(request.url === "/intrude" ? intrude() : await work()));
		} catch (error) {
			response.statusCode = 500;
			response.end(String(error.stack));
		}
	}).listen(8082, "127.0.0.1");
	process.on("SIGTERM", () => process.exit(0));
} else {
	parentPort.postMessage(sum(3000000));
}
