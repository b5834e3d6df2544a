import { askOthers } from "./session.js";

askOthers();
