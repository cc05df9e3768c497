#!/usr/bin/env node
import { runServer } from '../dist/cli/index.js'

process.exitCode = await runServer(process.argv.slice(2))
