-- Ends this server together with the process that started it, however that ended: nobody else
-- holds the other end of standard input, so its closing is the end of the parent.

module:set_global();

require "net.server".watchfd(0, function (input)
	input:close();
	-- The event loop ends after an event, not by itself: let there be one soon.
	module:add_timer(0, function () return 0.01; end);
	prosody.main_thread:run(function ()
		prosody.unlock_globals();
		prosody.shutdown("The parent has ended");
		prosody.lock_globals();
	end);
end);
