import { checkOtherTabs } from "./session.js";

checkOtherTabs();
