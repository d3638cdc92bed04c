"""What a finished study says: intervals, laws, exchange rate, forecasts, and the words for them."""
