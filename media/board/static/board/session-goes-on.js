import { beginAgainInOtherTabs } from "./session.js";

beginAgainInOtherTabs(document.querySelector("meta[name=signed-in]")?.content);
